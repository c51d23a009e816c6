# SPDX-License-Identifier: BSD-3-Clause

# What every target of minidad is compiled with.
add_library(minidad_options INTERFACE)
target_compile_options(minidad_options INTERFACE -Wall -Wextra -Wpedantic
  $<$<CXX_COMPILER_ID:Clang>:-Wno-pass-failed>  # MINIDAD_INDEPENDENT permits, it does not demand
  $<$<BOOL:${MINIDAD_WARNINGS_AS_ERRORS}>:-Werror>
  $<$<BOOL:${MINIDAD_NATIVE}>:-march=native>)

# Kokkos' header is read once for all files of a kind, not by each: it was a third of all compile time. It is no part of
# what a file may leave out; the builds of the kernels' forms for GPUs and those for GPUs themselves have every file read
# it again (compilers of GPU code know no precompiled headers).
if(MINIDAD_DEVICE_FORMS OR minidad_backend MATCHES "^(CUDA|HIP|SYCL)$")
  set(CMAKE_DISABLE_PRECOMPILE_HEADERS ON)
endif()

# minidad_add_library(<folder> SOURCES ... USES <targets anybody who includes its headers needs> HIDES <private ones>)
# One folder of src/ is one library, minidad::<folder>. What it lists in USES is all that it may include, so a folder
# cannot reach one that stands above it.
function(minidad_add_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;USES;HIDES" ${ARGN})
  add_library(minidad_${name} STATIC ${arg_SOURCES})
  add_library(minidad::${name} ALIAS minidad_${name})
  target_include_directories(minidad_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>
                                                    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/minidad>)
  target_compile_features(minidad_${name} PUBLIC cxx_std_20)
  target_link_libraries(minidad_${name} PUBLIC ${arg_USES} PRIVATE $<BUILD_INTERFACE:minidad_options> ${arg_HIDES})
  if(name STREQUAL core)
    target_precompile_headers(minidad_core PRIVATE <Kokkos_Core.hpp>)
  elseif(arg_USES)
    target_precompile_headers(minidad_${name} REUSE_FROM minidad_core)
  endif()
  set_target_properties(minidad_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON EXPORT_NAME ${name})
  install(TARGETS minidad_${name} EXPORT minidad COMPONENT develop)
endfunction()
