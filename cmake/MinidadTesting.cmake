# SPDX-License-Identifier: BSD-3-Clause

# What ranks need to share a few cores, also as root: many more ranks than cores, none bound, waiting ones step aside.
set(minidad_test_environment
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1
  OMP_NUM_THREADS=1 OMP_PROC_BIND=false KOKKOS_DISABLE_WARNINGS=1
  # Only minidad's own leaks count; run_session looks for them before MPI ends.
  ASAN_OPTIONS=leak_check_at_exit=0:allocator_may_return_null=1
  "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/lsan.supp:print_suppressions=0:fast_unwind_on_malloc=0"
  "UBSAN_OPTIONS=print_stacktrace=1")

# minidad_add_test(<folder>/<name> [RANKS 1 2 ...] [SUPPORT target]): builds <name>.cpp with GoogleTest and registers it
# for each number of ranks as <folder>.<name>.ranks<n>.
function(minidad_add_test path)
  cmake_parse_arguments(arg "" "SUPPORT" "RANKS" ${ARGN})
  if(NOT arg_SUPPORT)
    set(arg_SUPPORT minidad_test_support)
  endif()
  if(NOT arg_RANKS)
    set(arg_RANKS 1)
  endif()
  get_filename_component(name ${path} NAME)
  string(REPLACE "/" "." test ${path})
  add_executable(${name} ${path}.cpp)
  target_link_libraries(${name} PRIVATE minidad_options ${arg_SUPPORT})
  target_precompile_headers(${name} REUSE_FROM minidad_nn_test_support)
  foreach(ranks IN LISTS arg_RANKS)
    add_test(NAME ${test}.ranks${ranks}
      COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${ranks} ${MPIEXEC_PREFLAGS} $<TARGET_FILE:${name}>
              ${MPIEXEC_POSTFLAGS})
    set_tests_properties(${test}.ranks${ranks} PROPERTIES
      PROCESSORS ${ranks} TIMEOUT 300 ENVIRONMENT "${minidad_test_environment}")
  endforeach()
endfunction()

# A Python that has what the tests of files and of the command line need.
function(minidad_find_python)
  foreach(candidate python3 /usr/bin/python3)
    find_program(program NAMES ${candidate} NO_CACHE)
    if(program)
      execute_process(COMMAND ${program} -c "import pytest, yaml, numpy, h5py, matplotlib, xarray, h5netcdf, netCDF4"
                      RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
      if(NOT failed)
        set(MINIDAD_PYTHON ${program} CACHE FILEPATH "Python with the modules of minidad_find_python")
        return()
      endif()
    endif()
    unset(program)
  endforeach()
  message(FATAL_ERROR "The tests need a Python with pytest, yaml, numpy, h5py, matplotlib, xarray, h5netcdf and netCDF4; "
                      "name it with -DMINIDAD_PYTHON=..., or set MINIDAD_BUILD_TESTS=OFF")
endfunction()
if(NOT MINIDAD_PYTHON)
  minidad_find_python()
endif()

# minidad_add_pytest(<name> <folder> [ENVIRONMENT name=value ...]): runs a folder of pytest files.
function(minidad_add_pytest name folder)
  cmake_parse_arguments(arg "" "" "ENVIRONMENT" ${ARGN})
  add_test(NAME python.${name}
    COMMAND ${MINIDAD_PYTHON} -m pytest -q -p no:cacheprovider ${PROJECT_SOURCE_DIR}/${folder})
  set_tests_properties(python.${name} PROPERTIES PROCESSORS 2 TIMEOUT 2400 ENVIRONMENT
    "${minidad_test_environment};PYTHONDONTWRITEBYTECODE=1;${arg_ENVIRONMENT}")
endfunction()
