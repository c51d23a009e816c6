// SPDX-License-Identifier: BSD-3-Clause
#include "comm/session.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "comm/communicator_impl.hpp"

namespace minidad {

namespace {

/// MPI first and Kokkos second, so that Kokkos can map ranks to devices; ended in reverse.
class Session {
 public:
  Session(int& argc, char**& argv) {
    int provided = 0;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
    Kokkos::initialize(argc, argv);
  }
  ~Session() {
    Kokkos::finalize();
    MPI_Finalize();
  }
  Session(Session const&) = delete;
  Session& operator=(Session const&) = delete;
};

[[noreturn]] void abort_job(Communicator const& comm, ExitCode code, char const* what) {
  fmt::print(stderr, "minidad: rank {}: {}\n", comm.rank(), what);
  std::fflush(nullptr);
  MPI_Abort(comm.impl().comm, static_cast<int>(code));
  std::_Exit(static_cast<int>(code));
}

}  // namespace

int run_session(int argc, char** argv, std::function<int(Communicator&, int, char**)> const& body) {
  Session const session(argc, argv);
  Communicator comm;
  try {
    return body(comm, argc, argv);
  } catch (AgreedError const& error) {
    if (comm.rank() == 0) fmt::print(stderr, "minidad: {}\n", error.what());
    return static_cast<int>(error.code());
  } catch (Error const& error) {
    abort_job(comm, error.code(), error.what());
  } catch (std::bad_alloc const&) {
    abort_job(comm, ExitCode::run_time, "out of memory");
  } catch (std::exception const& error) {
    abort_job(comm, ExitCode::internal, error.what());
  }
}

}  // namespace minidad
