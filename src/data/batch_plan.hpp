// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

#include "core/random.hpp"
#include "core/row_layout.hpp"

namespace minidad {

/// How samples are dealt to lanes, see BatchPlan. Plain numbers, so that kernels can ask too.
struct Deal {
  std::size_t samples, batch;

  /// Every lane holds one sample for each full batch ...
  KOKKOS_INLINE_FUNCTION std::size_t full_steps() const { return samples / batch; }
  /// ... and this many lanes hold one more.
  KOKKOS_INLINE_FUNCTION std::size_t left_over() const { return samples % batch; }
  /// The j-th left-over sample is in lane floor(j batch / left_over); so many of them are in lanes below `lane`.
  KOKKOS_INLINE_FUNCTION std::size_t left_over_lane(std::size_t j) const { return j * batch / left_over(); }
  KOKKOS_INLINE_FUNCTION std::size_t left_over_below(std::size_t lane) const {
    return (lane * left_over() + batch - 1) / batch;
  }
  /// The lane of row `row` of the global batch at step `step`.
  KOKKOS_INLINE_FUNCTION std::size_t lane_of(std::size_t row, std::size_t step) const {
    return step < full_steps() ? row : left_over_lane(row);
  }
  /// Which of the lane's samples stands in the batch at step `step` of an epoch.
  KOKKOS_INLINE_FUNCTION std::size_t draw(std::uint64_t seed, std::size_t epoch, std::size_t step,
                                          std::size_t lane) const {
    std::size_t const held = full_steps() + left_over_below(lane + 1) - left_over_below(lane);
    return Permutation(seed, static_cast<std::uint32_t>(epoch), lane,
                       static_cast<std::uint32_t>(held))(static_cast<std::uint32_t>(step));
  }
};

/// Which sample stands in which row of which batch, on which rank: a pure function of a few integers.
///
/// The samples are dealt, once, to `batch` lanes: lane l holds samples l, l + batch, l + 2 batch, ... A global batch
/// takes one sample from each lane, lane l's in row l, and each lane is shuffled anew every epoch. Each rank owns a run
/// of neighbouring lanes, so it keeps only its own samples, ranks are equally loaded, a rank's rows are consecutive in
/// the global batch, and the global batch at step t does not depend on the number of ranks. The samples that are left
/// over when `batch` does not divide them give a last, smaller ("ragged") batch; they are dealt to lanes spread evenly,
/// so that every rank has its share of it. It may leave some ranks without rows.
class BatchPlan {
 public:
  /// `block`: lanes are handed to ranks in groups of that many (1: evenly). batch, ranks, block >= 1, samples >= batch.
  BatchPlan(std::size_t samples, std::size_t batch, std::size_t ranks, std::size_t block = 1);

  Deal const& deal() const { return deal_; }
  std::size_t steps_per_epoch() const { return deal_.full_steps() + (deal_.left_over() > 0 ? 1 : 0); }

  /// Where each rank's rows stand in the global batch of step t of an epoch; part r is rank r.
  RowLayout const& ranks_at(std::size_t step) const { return step < deal_.full_steps() ? full_ : ragged_; }
  /// How rank r's own rows fall into blocks of the global batch.
  RowLayout blocks_at(std::size_t step, std::size_t rank) const;

  /// Lanes [first, last) belong to a rank.
  std::size_t first_lane(std::size_t rank) const { return full_.offset[rank]; }
  std::size_t last_lane(std::size_t rank) const { return full_.offset[rank + 1]; }

  /// How many samples a rank keeps, and the place of one among them; samples_of(rank) for a sample of another rank.
  /// Sample k of the rank's i-th lane is at k lanes + i; the left-over samples follow in lane order.
  std::size_t samples_of(std::size_t rank) const;

  std::size_t place(std::size_t sample, std::size_t rank) const;

 private:
  Deal deal_;
  std::size_t block_;
  RowLayout full_, ragged_;
};

}  // namespace minidad
