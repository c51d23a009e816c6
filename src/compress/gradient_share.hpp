// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "compress/product_norm.hpp"
#include "compress/row_memory.hpp"

namespace minidad {

/// One rank's share G of a layer's gradient, together with what error feedback kept, as power iterations see it:
/// something to multiply with from either side. Vectors are rows: p (width, in), q (width, out).
class GradientShare {
 public:
  virtual ~GradientShare() = default;
  /// G <- AᵀD + what was kept.
  virtual void take(ExecSpace const& space, Factors const& stats) = 0;
  virtual void multiply_from_delta_side(ExecSpace const& space, Matrix const& q, Matrix const& p) = 0;  ///< p <- q Gᵀ
  virtual void multiply_from_input_side(ExecSpace const& space, Matrix const& p, Matrix const& q) = 0;  ///< q <- p G
  /// Keeps what the common gradient PᵀQ has left out of this share. Q is the sum over `ranks` ranks, P G of this share
  /// is `mine`.
  virtual void settle(ExecSpace const& space, Factors const& common, Matrix const& mine, int ranks) = 0;
  virtual double norm_squared(ExecSpace const& space) = 0;
  /// dense (in, out) <- what is kept for the next step. False: nothing ever is, and dense is as it was.
  virtual bool write_kept(ExecSpace const& space, Matrix const& dense) const = 0;
  virtual void visit_state(StateVisitor& visitor) = 0;  ///< what is kept
};

/// The gradient itself, formed. Feedback keeps G - PᵀQ / ranks, all of it.   Vogels et al. 2019, algorithm 2.
std::unique_ptr<GradientShare> make_dense_share(ReducerShape const& shape, bool feedback);

/// The rows of A and D; the gradient is never formed. Feedback is a RowMemory: in the sum over ranks it keeps what the
/// dense share keeps, but for what its reductions lose. `width`: the most rows of p and q.
std::unique_ptr<GradientShare> make_row_share(ReducerShape const& shape, std::size_t width,
                                              MemorySettings const& memory, std::uint64_t seed);

}  // namespace minidad
