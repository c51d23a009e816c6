// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "nn/model.hpp"

namespace minidad {

/// A matrix that a pass needs for a while: from moment `begin` to moment `end`, both included.
struct ArenaPiece {
  std::string name;
  std::size_t size;        ///< scalars a sample
  std::size_t begin, end;  ///< moments: the steps forward, the loss, and the steps backward
  std::size_t offset = 0;  ///< scalars a sample; pieces that live at the same moment do not overlap
};

/// Which piece each matrix of a pass is; `none` where it does not exist.
struct ArenaPlan {
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  struct StepPieces {
    std::size_t input = none, delta = none, kept = none, forward_scratch = none, backward_scratch = none;
    std::size_t added_in = none, added_second = none;  ///< deltas that are formed apart and then added
  };
  std::vector<ArenaPiece> pieces;
  std::vector<std::size_t> value, delta;  ///< one a value
  std::vector<StepPieces> step;           ///< one a step
  std::size_t size = 0;                   ///< scalars a sample, of all
  std::size_t sum() const;                ///< what it would be if nothing shared its memory
};

/// Lays out the memory of a pass. What exchanges and probes look at, A and D of every layer with a product, stays until
/// the step is over; everything else only as long as some layer needs it, and its place is used again. Pieces are
/// placed from the largest to the smallest, each at the lowest offset that is free for all of its life ("greedy by
/// size", Pisarchyk & Lee 2020, arXiv 2001.03288).
ArenaPlan plan_arena(Model const& model);

}  // namespace minidad
