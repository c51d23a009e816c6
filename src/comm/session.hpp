// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>

#include "comm/communicator.hpp"

namespace minidad {

/// Starts MPI, then Kokkos; calls `body`; ends them in reverse. Returns the process' exit code, the same on all ranks.
/// The only place that catches everything:
///  * an AgreedError ends the job in order, rank 0 prints it;
///  * any other exception prints its rank and ends the whole job through MPI_Abort, since the others may be waiting.
/// Arguments meant for Kokkos (--kokkos-...) are taken out of argc/argv.
int run_session(int argc, char** argv, std::function<int(Communicator&, int argc, char** argv)> const& body);

}  // namespace minidad
