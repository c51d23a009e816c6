// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "compress/row_reducer.hpp"

namespace minidad {

struct MemorySettings {
  std::size_t rows = 0;    ///< that are kept in the long run; 0: none
  std::size_t period = 1;  ///< calls between reductions to that many
};

/// Error feedback of low rank: what a step leaves out of its gradient is kept as rows, and is part of the next step's.
/// No matrix of the layer's size is needed. Given + kept before = sent + kept after, exactly but for rounding, until
/// the rows are reduced: then what is beyond the best `rows` is lost.
///
/// Reducing only every few steps is cheaper, and loses less: a direction that is weak but comes back in every step has
/// grown `period` times by then, noise by the root of that.
class RowMemory {
 public:
  /// shape.max_rows is of what is given in one step, shape.few of the basis that settle() is given.
  RowMemory(MemorySettings const& settings, ReducerShape shape, std::uint64_t seed);

  /// The most rows that stack() returns.
  static std::size_t capacity(MemorySettings const& settings, std::size_t max_rows) {
    return settings.rows == 0 ? max_rows : settings.rows + settings.period * max_rows;
  }
  /// The kept rows and the given ones. Without a memory: the given ones themselves.
  Factors stack(ExecSpace const& space, Factors const& rows);
  /// What was stacked has been sent as its projection on the rows of `basis` (width, in), which are orthonormal or
  /// zero; keeps the rest: G - BᵀB G has the rows (A - A Bᵀ B, D).
  void settle(ExecSpace const& space, Matrix const& basis);
  /// dense (in, out) <- keep dense + what is kept. False: there is no memory, and dense is as it was.
  bool write_kept(ExecSpace const& space, Matrix const& dense, Real keep) const;

 private:
  Factors kept() const { return first_rows(stacked_, used_); }

  MemorySettings settings_;
  std::size_t max_given_, used_ = 0, given_ = 0;
  Factors stacked_;  // the kept rows, then the given ones
  Factors few_;
  std::unique_ptr<RowReducer> reducer_;
  Matrix coordinates_;  // (rows, width)
};

}  // namespace minidad
