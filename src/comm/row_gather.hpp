// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string>

#include "comm/communicator.hpp"
#include "core/row_layout.hpp"

namespace minidad {

/// Gives every rank the rows of all ranks, in rank order: MPI_Iallgatherv, prepared once, started in every step.
/// Nothing is copied on the way: a rank writes its rows to their place in the gathered matrix.
class RowGather {
 public:
  /// For at most max_rows rows (of all ranks together) of `cols` scalars. `part` names it in the books. Layouts may
  /// count something that has `rows_each` rows.
  RowGather(Communicator& comm, std::string const& part, std::size_t max_rows, std::size_t cols,
            std::size_t rows_each = 1);
  ~RowGather();
  RowGather(RowGather&&) noexcept;

  /// Where this rank's rows go, (rows of this rank, cols); fill it, then start(). One layout part per rank.
  Matrix slot(RowLayout const& layout) const;
  void start(ExecSpace const& space, RowLayout const& layout);
  void progress();  ///< lets MPI move data while the caller computes
  /// All rows, (layout.rows() rows_each, cols); valid until the next start().
  Matrix finish(ExecSpace const& space);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace minidad
