// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.hpp"

namespace minidad {

/// Replaces a vector on every rank by the sum over all ranks: MPI_Iallreduce, prepared once, started in every step.
/// The buffer belongs to MPI from start() to finish().
class SumInPlace {
 public:
  /// A stretch of the buffer, for the books.
  struct Part {
    std::string name;
    std::size_t size;
  };
  /// `buffer` is contiguous; the parts follow one another in it.
  SumInPlace(Communicator& comm, Vector const& buffer, std::vector<Part> const& parts);
  ~SumInPlace();
  SumInPlace(SumInPlace&&) noexcept;

  void start(ExecSpace const& space);
  /// Sums less: part i has sizes[i] <= its declared size scalars this time, and they follow one another without gaps.
  void start(ExecSpace const& space, std::span<std::size_t const> sizes);
  void progress();  ///< lets MPI move data while the caller computes
  void finish(ExecSpace const& space);

 private:
  void post(ExecSpace const& space, std::size_t size);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace minidad
