// SPDX-License-Identifier: BSD-3-Clause
#include "comm/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "comm/communicator_impl.hpp"
#include "core/kokkos_compat.hpp"

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

int rank_on_node() {
  MPI_Comm node = MPI_COMM_NULL;
  int rank = 0;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  MPI_Comm_rank(node, &rank);
  MPI_Comm_free(&node);
  return rank;
}

bool user_chooses_device(int argc, char** argv) {
  if (std::getenv("KOKKOS_DEVICE_ID") != nullptr || std::getenv("KOKKOS_MAP_DEVICE_ID_BY") != nullptr) return true;
  return std::any_of(argv, argv + argc, [](std::string_view argument) {
    return argument.starts_with("--kokkos-device-id") || argument.starts_with("--kokkos-map-device-id-by");
  });
}

/// The ranks of a node take its GPUs in turn, unless the user chooses. Kokkos would do so under the launchers that it
/// knows; under others it puts all ranks on the first GPU.
void start_kokkos(int& argc, char**& argv) {
  if (int const devices = device_count(); devices > 0 && !user_chooses_device(argc, argv))
    setenv("KOKKOS_DEVICE_ID", std::to_string(rank_on_node() % devices).c_str(), 1);
  // Kokkos gets its own arguments only: to --help, some versions answer as well. What it does not know is complained of
  // with the rest.
  auto* const first = std::stable_partition(argv, argv + argc, [&](char* argument) {
    return argument == argv[0] || !std::string_view(argument).starts_with("--kokkos-");
  });
  std::vector<char*> own{argv[0]};
  own.insert(own.end(), first, argv + argc);
  int n_own = static_cast<int>(own.size());
  own.push_back(nullptr);
  Kokkos::initialize(n_own, own.data());
  argc = static_cast<int>(std::copy(own.begin() + 1, own.begin() + n_own, first) - argv);
  argv[argc] = nullptr;
}

/// MPI first and Kokkos second, so that Kokkos can map ranks to devices; ended in reverse.
class Session {
 public:
  Session(int& argc, char**& argv) {
    start_mpi(argc, argv);
    start_kokkos(argc, argv);
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
