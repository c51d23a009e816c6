# SPDX-License-Identifier: BSD-3-Clause
# minidad::kokkos and minidad::kokkos_kernels, whatever package the Kokkos and Kokkos Kernels that were found come from.
# Part of the build, and of what is installed: there it is the user's Kokkos that they stand for.
if(TARGET minidad::kokkos)
  return()
endif()

add_library(minidad::kokkos INTERFACE IMPORTED)
if(TARGET trilinos_kokkoscore)  # Debian's Kokkos::kokkos names an include folder that does not exist
  target_include_directories(minidad::kokkos SYSTEM INTERFACE ${Kokkos_INCLUDE_DIRS})
  target_link_libraries(minidad::kokkos INTERFACE ${Kokkos_LIBRARIES})
else()
  target_link_libraries(minidad::kokkos INTERFACE Kokkos::kokkos)
endif()

# Its own install and Spack's, Trilinos >= 14, Trilinos 13.
add_library(minidad::kokkos_kernels INTERFACE IMPORTED)
if(TARGET Kokkos::kokkoskernels)
  target_link_libraries(minidad::kokkos_kernels INTERFACE Kokkos::kokkoskernels)
elseif(TARGET KokkosKernels::all_libs)
  target_link_libraries(minidad::kokkos_kernels INTERFACE KokkosKernels::all_libs)
else()
  target_include_directories(minidad::kokkos_kernels SYSTEM INTERFACE ${KokkosKernels_INCLUDE_DIRS})
  target_link_libraries(minidad::kokkos_kernels INTERFACE ${KokkosKernels_LIBRARIES} ${KokkosKernels_TPL_LIBRARIES})
endif()
