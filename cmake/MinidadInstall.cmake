# SPDX-License-Identifier: BSD-3-Clause
# What `cmake --install` puts where: the program, the libraries with their headers and CMake package, decks, manual page
# and completion. Components: run (what a job needs) and develop (what a build against minidad needs).
include(CMakePackageConfigHelpers)
set(minidad_package ${CMAKE_INSTALL_LIBDIR}/cmake/minidad)

install(DIRECTORY input/ DESTINATION ${CMAKE_INSTALL_DATADIR}/minidad/input COMPONENT run)
install(DIRECTORY share/ DESTINATION ${CMAKE_INSTALL_DATADIR} COMPONENT run)  # manual page, completion

# Headers that need mpi.h or hdf5.h are for src/comm and src/io alone.
install(DIRECTORY src/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/minidad COMPONENT develop
  FILES_MATCHING PATTERN "*.hpp"
  REGEX "/comm/(communicator_impl|mpi_handle|stall_watch)\\.hpp$" EXCLUDE
  REGEX "/io/(carry_records|file_driver|file_tree|hdf5|placement|run_layout)\\.hpp$" EXCLUDE)

# The whole of it; minidad::<folder> are the parts.
add_library(minidad_minidad INTERFACE)
add_library(minidad::minidad ALIAS minidad_minidad)
target_link_libraries(minidad_minidad INTERFACE minidad::config)
set_target_properties(minidad_minidad PROPERTIES EXPORT_NAME minidad)
install(TARGETS minidad_minidad EXPORT minidad COMPONENT develop)
install(EXPORT minidad FILE minidadTargets.cmake NAMESPACE minidad:: DESTINATION ${minidad_package} COMPONENT develop)
configure_package_config_file(cmake/minidadConfig.cmake.in ${PROJECT_BINARY_DIR}/minidadConfig.cmake
  INSTALL_DESTINATION ${minidad_package} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/minidadConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/minidadConfig.cmake ${PROJECT_BINARY_DIR}/minidadConfigVersion.cmake
              cmake/MinidadKokkos.cmake
  DESTINATION ${minidad_package} COMPONENT develop)
