# SPDX-License-Identifier: BSD-3-Clause
# Finds everything minidad stands on; downloads nothing.

# --- Kokkos and Kokkos Kernels -----------------------------------------------------------------------------------
# No version range: Kokkos 3.4.1's version file refuses one.
find_package(Kokkos 3.4 REQUIRED)
if(MINIDAD_BACKEND AND NOT MINIDAD_BACKEND IN_LIST Kokkos_DEVICES)
  message(FATAL_ERROR
    "The Kokkos ${Kokkos_VERSION} found in ${Kokkos_DIR} has the back ends '${Kokkos_DEVICES}', but ${MINIDAD_BACKEND} "
    "is asked for (MINIDAD_BACKEND). A wrong Kokkos_ROOT falls back to the system's Kokkos without a word: check it, or "
    "run scripts/build_kokkos.sh.")
endif()
find_package(KokkosKernels REQUIRED)  # Debian's package carries no version file

# One target for the three ways Kokkos Kernels is packaged (its own install and Spack, Trilinos 13, Trilinos >= 14).
add_library(minidad_kokkos_kernels INTERFACE)
if(TARGET Kokkos::kokkoskernels)
  target_link_libraries(minidad_kokkos_kernels INTERFACE Kokkos::kokkoskernels)
elseif(TARGET KokkosKernels::all_libs)
  target_link_libraries(minidad_kokkos_kernels INTERFACE KokkosKernels::all_libs)
else()
  target_include_directories(minidad_kokkos_kernels SYSTEM INTERFACE ${KokkosKernels_INCLUDE_DIRS})
  target_link_libraries(minidad_kokkos_kernels INTERFACE ${KokkosKernels_LIBRARIES} ${KokkosKernels_TPL_LIBRARIES})
endif()
add_library(minidad_kokkos INTERFACE)
if(TARGET trilinos_kokkoscore)  # Debian's Kokkos::kokkos names an include folder that does not exist
  target_include_directories(minidad_kokkos SYSTEM INTERFACE ${Kokkos_INCLUDE_DIRS})
  target_link_libraries(minidad_kokkos INTERFACE ${Kokkos_LIBRARIES})
else()
  target_link_libraries(minidad_kokkos INTERFACE Kokkos::kokkos)
endif()

# --- MPI, HDF5, BLAS, LAPACK -----------------------------------------------------------------------------------------------
set(MPI_CXX_SKIP_MPICXX ON)
find_package(MPI REQUIRED COMPONENTS C CXX)
set(HDF5_PREFER_PARALLEL ON)  # must precede the search, or a serial HDF5 beside it wins
find_package(HDF5 REQUIRED COMPONENTS C HL)
if(NOT HDF5_IS_PARALLEL)
  message(FATAL_ERROR "The HDF5 ${HDF5_VERSION} found is serial; minidad needs a parallel one (hdf5+mpi+hl)")
endif()
find_package(BLAS REQUIRED)
find_package(LAPACK REQUIRED)

# --- small libraries -----------------------------------------------------------------------------------------------
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
if(MINIDAD_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()
