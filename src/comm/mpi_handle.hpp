// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// For io/ only: parallel HDF5 opens its files with an MPI communicator.

#include "comm/communicator_impl.hpp"

namespace minidad {

inline auto mpi_handle(Communicator const& comm) { return comm.impl().comm; }

}  // namespace minidad
