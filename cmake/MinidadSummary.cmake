# SPDX-License-Identifier: BSD-3-Clause
message(STATUS "minidad ${PROJECT_VERSION}")
message(STATUS "  build type     ${CMAKE_BUILD_TYPE}, native ${MINIDAD_NATIVE}")
message(STATUS "  scalar         ${MINIDAD_REAL}")
message(STATUS "  Kokkos         ${Kokkos_VERSION} [${Kokkos_DEVICES}], kernels on ${minidad_backend}, in ${Kokkos_DIR}")
message(STATUS "  MPI            ${MPI_C_VERSION} ${MPI_C_LIBRARIES}")
message(STATUS "  HDF5           ${HDF5_VERSION}, parallel ${HDF5_IS_PARALLEL}")
message(STATUS "  BLAS           ${BLAS_LIBRARIES}")
message(STATUS "  tests          ${MINIDAD_BUILD_TESTS}, benchmarks ${MINIDAD_BUILD_BENCH}")
