# SPDX-License-Identifier: BSD-3-Clause
# Finds everything minidad stands on; downloads nothing.

# --- Kokkos and Kokkos Kernels -----------------------------------------------------------------------------------
# No version range: Kokkos 3.4.1's version file refuses one.
find_package(Kokkos 3.4 REQUIRED)
# Kernels run in Kokkos' default execution space: the first of these that it has.
string(REPLACE "PTHREAD" "THREADS" kokkos_devices "${Kokkos_DEVICES}")  # its name until Kokkos 3.5
foreach(candidate CUDA HIP SYCL OPENMP THREADS SERIAL)
  if(candidate IN_LIST kokkos_devices)
    set(minidad_backend ${candidate})
    break()
  endif()
endforeach()
if(MINIDAD_BACKEND AND NOT MINIDAD_BACKEND STREQUAL minidad_backend)
  message(FATAL_ERROR
    "MINIDAD_BACKEND asks for ${MINIDAD_BACKEND}, but with the Kokkos ${Kokkos_VERSION} found in ${Kokkos_DIR} kernels run "
    "on ${minidad_backend} (it has '${Kokkos_DEVICES}'). A wrong Kokkos_ROOT falls back to the system's Kokkos without a "
    "word: check it, or run scripts/build_kokkos.sh.")
endif()
find_package(KokkosKernels REQUIRED)  # Debian's package carries no version file

include(MinidadKokkos)

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
