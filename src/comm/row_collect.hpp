// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string>

#include "comm/communicator.hpp"
#include "core/row_layout.hpp"

namespace minidad {

/// Gives one rank, the root, the rows of all ranks, in rank order: MPI_Igatherv, prepared once, started as often as
/// wanted.
class RowCollect {
 public:
  /// For no more rows a rank than `largest` has, of `cols` scalars. `part` names it in the books.
  RowCollect(Communicator& comm, std::string const& part, RowLayout const& largest, std::size_t cols, int root);
  ~RowCollect();
  RowCollect(RowCollect&&) noexcept;

  /// `mine`, (rows of this rank, cols), contiguous, must stay as it is until finish(). One layout part per rank.
  void start(ExecSpace const& space, RowLayout const& layout, Matrix const& mine);
  /// At the root all rows, (layout.rows(), cols), valid until the next start(); elsewhere none.
  Matrix finish(ExecSpace const& space);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace minidad
