// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <span>

#include "comm/communicator.hpp"

namespace minidad {

/// The sum over all ranks of a few numbers on the host, on its way while others compute. Booked as control traffic.
class HostSum {
 public:
  HostSum(Communicator& comm, std::size_t size);
  ~HostSum();
  HostSum(HostSum const&) = delete;
  HostSum& operator=(HostSum const&) = delete;

  /// Collective; `mine` is copied.
  void start(std::span<double const> mine);
  /// Collective. The sums, valid until the next start().
  std::span<double const> finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace minidad
