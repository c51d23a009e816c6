// SPDX-License-Identifier: BSD-3-Clause
#include "data/batch_plan.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace minidad {

BatchPlan::BatchPlan(std::size_t samples, std::size_t batch, std::size_t ranks, std::size_t block)
    : deal_{samples, batch}, block_(block) {
  require(batch >= 1 && ranks >= 1 && block >= 1 && samples >= batch, "BatchPlan: sizes out of range");
  std::size_t const blocks = (batch + block - 1) / block;
  for (std::size_t r = 1; r <= ranks; ++r) {
    full_.offset.push_back(std::min(batch, r * blocks / ranks * block));
    ragged_.offset.push_back(deal_.left_over_below(full_.offset.back()));
  }
}

RowLayout BatchPlan::blocks_at(std::size_t step, std::size_t rank) const {
  std::size_t const first = first_lane(rank), last = last_lane(rank);
  auto const row_of = [&, full = step < deal_.full_steps()](std::size_t lane) {
    return full ? lane : deal_.left_over_below(lane);
  };
  if (block_ == 1) return {{0, row_of(last) - row_of(first)}};  // no blocks wanted: all rows in one
  RowLayout blocks;
  for (std::size_t lane = first; lane < last; lane += block_)
    blocks.offset.push_back(row_of(std::min(lane + block_, last)) - row_of(first));
  return blocks;
}

std::size_t BatchPlan::samples_of(std::size_t rank) const {
  return deal_.full_steps() * full_.rows_of(rank) + ragged_.rows_of(rank);
}

std::size_t BatchPlan::place(std::size_t sample, std::size_t rank) const {
  std::size_t const round = sample / deal_.batch, first = first_lane(rank), lanes = full_.rows_of(rank);
  std::size_t const lane = deal_.lane_of(sample % deal_.batch, round);
  if (lane < first || lane >= last_lane(rank)) return samples_of(rank);
  if (round < deal_.full_steps()) return round * lanes + lane - first;
  return deal_.full_steps() * lanes + deal_.left_over_below(lane) - deal_.left_over_below(first);
}

}  // namespace minidad
