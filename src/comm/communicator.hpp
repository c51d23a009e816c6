// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "comm/traffic.hpp"
#include "core/types.hpp"

namespace minidad {

/// How device data reaches MPI: through host copies (works everywhere), or by its device pointer (GPU-aware MPI).
/// Where the kernels run on the host there is nothing to copy and both are the same.
enum class Transfer { staged, device };

/// A group of ranks that work together. Owns a duplicate of its parent's MPI communicator. The other classes of this
/// folder (SumInPlace, RowGather, RowCollect) are collectives prepared on it.
/// Every call below is collective. An MPI failure throws Error(run_time) with MPI's own words.
class Communicator {
 public:
  /// All ranks of the job. MPI must be running, see Session.
  Communicator();
  /// Collective over `parent`: the ranks that give the same `color` (>= 0) work together, in the same order.
  Communicator(Communicator const& parent, int color);
  ~Communicator();
  Communicator(Communicator const&) = delete;
  Communicator& operator=(Communicator const&) = delete;

  int rank() const;
  int size() const;
  std::string library() const;  ///< MPI's version text, first line

  Transfer transfer() const;
  /// Device pointers: MPI is asked whether it takes them, and tried on a small all-reduce, whose result must be right.
  /// Throws Error(user) on all ranks alike.
  void choose_transfer(Transfer transfer, ExecSpace const& space);

  /// From now on, a wait on this communicator by any class of this folder that lasts longer than `seconds` throws
  /// Error(stalled) on one rank; it names the collective, the part of the model and the ranks that do not wait too.
  /// Give all ranks the same, more than any rank computes or writes at a stretch. 0, as it is at first: wait for ever.
  /// Communicators made from this one start with 0.
  void set_stall_limit(double seconds);

  // Small things on the host, booked as control traffic or as that of `part`.
  void sum(std::span<double> values, std::string_view part = "control");
  void sum(std::span<std::int64_t> values);
  void max(std::span<std::uint64_t> values);
  /// Index of the first value that is not the same on all ranks.
  std::optional<std::size_t> first_difference(std::span<std::uint64_t const> values);
  void max(std::span<double> values);
  /// all <- every rank's `mine`, in rank order; booked as `entry`.
  void all_gather(std::span<std::int32_t const> mine, std::span<std::int32_t> all, TrafficEntry& entry);

  // For files that ranks write together: part of writing them, and not booked.
  void broadcast(std::span<std::byte> bytes, int root = 0);
  /// all <- every rank's `mine`, in rank order.
  void all_gather(std::span<std::byte const> mine, std::span<std::byte> all);

  /// Does `work` on every rank. If it throws on any, all ranks throw the same AgreedError: the first failing rank's.
  /// `work` must not communicate.
  void agree(std::function<void()> const& work);

  Traffic& traffic();
  Traffic const& traffic() const;

  struct Impl;
  Impl& impl() const { return *impl_; }  ///< for this folder and for mpi_handle.hpp

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace minidad
