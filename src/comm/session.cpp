// SPDX-License-Identifier: BSD-3-Clause
#include "comm/session.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "comm/communicator_impl.hpp"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

namespace minidad {

namespace {

// Under the leak sanitizer: what MPI and its plug-ins keep from their start on is not minidad's leak, and leaks are looked
// for before MPI ends, while its plug-ins are still loaded and theirs can be told from ours.
void start_mpi(int& argc, char**& argv) {
  int provided = 0;
#ifdef __SANITIZE_ADDRESS__
  __lsan::ScopedDisabler const not_ours;
#endif
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
}

void end_mpi() {
#ifdef __SANITIZE_ADDRESS__
  __lsan_do_leak_check();
#endif
  MPI_Finalize();
}

/// MPI first and Kokkos second, so that Kokkos can map ranks to devices; ended in reverse.
class Session {
 public:
  Session(int& argc, char**& argv) {
    start_mpi(argc, argv);
    Kokkos::initialize(argc, argv);
  }
  ~Session() {
    Kokkos::finalize();
    end_mpi();
  }
  Session(Session const&) = delete;
  Session& operator=(Session const&) = delete;
};

[[noreturn]] void abort_job(Communicator const& comm, Failure const& failure) {
  auto const& [code, what] = failure;
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
  } catch (...) {
    abort_job(comm, describe_current_exception());
  }
}

}  // namespace minidad
