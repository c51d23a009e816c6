// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Inside comm/ only: what the collectives share, and the only header that speaks MPI beside stall_watch.hpp
// and mpi_handle.hpp.

#include <mpi.h>
#if __has_include(<mpi-ext.h>)
#include <mpi-ext.h>
#endif

#include <type_traits>

#include "comm/communicator.hpp"
#include "comm/stall_watch.hpp"
#include "core/error.hpp"

namespace minidad {

struct Communicator::Impl {
  MPI_Comm comm = MPI_COMM_NULL;
  int rank = 0, size = 1;
  Transfer transfer = Transfer::staged;
  Traffic traffic{1};
  std::optional<StallWatch> stall_watch;  ///< when there is a limit for waits
};

/// Throws Error(run_time) unless `code` says success.
void check_mpi(int code, char const* call);

template <class T>
MPI_Datatype mpi_type() {
  if constexpr (std::is_same_v<T, float>) return MPI_FLOAT;
  if constexpr (std::is_same_v<T, double>) return MPI_DOUBLE;
  if constexpr (std::is_same_v<T, std::int64_t>) return MPI_INT64_T;
  if constexpr (std::is_same_v<T, std::uint64_t>) return MPI_UINT64_T;
}

/// MPI counts are int; larger ones are refused in words.
int mpi_count(std::size_t count);

inline Awaited awaited(TrafficEntry const& entry) { return {entry.collective, entry.part}; }

/// A request that is waited for, or given up when its process is on its way to an abort.
class Request {
 public:
  MPI_Request* fresh();
  void progress();
  /// Every wait of this folder. Throws Error(stalled), with `what` in words, past the limit that `comm` may have.
  void wait(Communicator const& comm, Awaited const& what);
  bool active() const { return request_ != MPI_REQUEST_NULL; }

 private:
  MPI_Request request_ = MPI_REQUEST_NULL;
};

}  // namespace minidad
