// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <utility>

#include "compress/row_reducer.hpp"
#include "linalg/row_basis.hpp"

namespace minidad {

struct MemorySettings {
  std::size_t rows = 0;    ///< that are kept in the long run; 0: none
  std::size_t period = 1;  ///< steps between reductions to that many
};

/// Error feedback of low rank: what a step leaves out of its gradient is kept as rows, and is part of the next step's.
/// No matrix of the layer's size is needed: of G = AᵀD and what of it is sent, A'ᵀD', the rest has the rows of (A, D)
/// and those of (-A', D'). Given + kept before = sent + kept after, exactly but for rounding, until the rows are
/// reduced: then what is beyond the best `rows` is lost.
///
/// Reducing only every few steps is cheaper, and loses less: a direction that is weak but comes back in every step has
/// grown `period` times by then, noise by the root of that.
///
/// A reduction follows the strongest directions of all that is kept, G, from one reduction to the next (orthogonal
/// iteration; P and Q in rows):
///   P <- the last P, with some rows at its head drawn anew;   Q <- orth(P G);   P <- orth(Q Gᵀ);   Q <- P G;
/// and keeps (P, Q), the projection PᵀP G. Most of the last P is still worth having; what came since is found by the new
/// rows. Each row is orthogonal to those above it, so that what falls off at the end is the weakest and oldest. On what
/// layers of the reference job leave in 16 steps, 64 rows so found lose 13 to 21 % more energy than the best 64 would;
/// half a sweep less loses 17 to 36 % more, and costs a tenth of a point of accuracy.
class RowMemory {
 public:
  /// shape.max_rows is of what is given in one step, shape.few of what is sent.
  RowMemory(MemorySettings const& settings, ReducerShape const& shape, std::uint64_t seed);

  /// The rows that there is room for at first.
  static std::size_t capacity(MemorySettings const& settings, std::size_t max_given, std::size_t max_sent) {
    return settings.rows == 0 ? max_given : settings.rows + settings.period * (max_given + max_sent);
  }
  /// The kept rows and the given ones. Without a memory: the given ones themselves.
  Factors stack(ExecSpace const& space, Factors const& rows);
  /// Of what stack() has returned, `sent` is on its way; keeps the rest. To be called once after each stack().
  void settle(ExecSpace const& space, Factors const& sent);
  /// dense (in, out) <- keep dense + what is kept. False: there is no memory, and dense is as it was.
  bool write_kept(ExecSpace const& space, Matrix const& dense, Real keep) const;

  /// What is kept. On fewer ranks each may be given more than it would ever have gathered: the memory grows, and with it
  /// room().
  void visit_state(StateVisitor& visitor);
  /// Keeps these rows too, as visit_state does.
  void adopt(ExecSpace const& space, Factors const& rows);
  /// What was kept, and is no longer; valid until the next call.
  Factors give_up_kept() { return first_rows(stacked_, std::exchange(used_, 0)); }
  /// The most rows that stack() returns.
  std::size_t room() const { return settings_.rows == 0 ? max_given_ : stacked_.rows(); }

 private:
  Factors kept() const { return first_rows(stacked_, used_); }
  Factors append(std::size_t rows);
  void make_room(std::size_t used);
  void reduce(ExecSpace const& space);

  MemorySettings settings_;
  std::size_t max_given_, max_sent_, used_ = 0;
  std::uint64_t seed_, steps_ = 0;
  Factors stacked_;
  Factors strongest_;   // (columns, in) = P, (columns, out) = Q
  Matrix coordinates_;  // (stacked rows, columns)
  RowBasis input_basis_, delta_basis_;
};

}  // namespace minidad
