// SPDX-License-Identifier: BSD-3-Clause
#include "data/batch_plan.hpp"

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <set>

namespace minidad {

/// The samples of the global batch at `step`, in row order, put together from what the ranks hold.
std::vector<std::size_t> global_batch(BatchPlan const& plan, std::size_t ranks, std::uint64_t seed, std::size_t epoch,
                                      std::size_t step) {
  auto const& deal = plan.deal();
  std::vector<std::size_t> batch;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    std::map<std::size_t, std::size_t> sample_at;  // local place -> sample
    for (std::size_t i = 0; i < deal.samples; ++i)
      if (auto const place = plan.place(i, rank); place < plan.samples_of(rank)) sample_at[place] = i;
    auto const& layout = plan.ranks_at(step);
    for (std::size_t row = layout.offset[rank]; row < layout.offset[rank + 1]; ++row) {
      auto const lane = deal.lane_of(row, step), k = deal.draw(seed, epoch, step, lane);
      auto const first = plan.first_lane(rank), lanes = plan.last_lane(rank) - first;
      batch.push_back(sample_at.at(k < deal.full_steps() ? k * lanes + lane - first
                                                         : deal.full_steps() * lanes + deal.left_over_below(lane) -
                                                               deal.left_over_below(first)));
    }
  }
  return batch;
}

struct Sizes {
  std::size_t samples, batch, block;
};

class EveryPlan : public testing::TestWithParam<Sizes> {};
INSTANTIATE_TEST_SUITE_P(Sizes, EveryPlan,
                         testing::Values(Sizes{40, 8, 1}, Sizes{53, 14, 1}, Sizes{53, 14, 4}, Sizes{29, 28, 1},
                                         Sizes{30, 7, 1}, Sizes{7, 7, 1}, Sizes{100, 33, 4}));

TEST_P(EveryPlan, ShowsEverySampleOnceAnEpoch) {
  auto const [samples, batch, block] = GetParam();
  BatchPlan const plan(samples, batch, 3, block);
  for (std::size_t const epoch : {0, 5}) {
    std::multiset<std::size_t> seen;
    for (std::size_t step = 0; step < plan.steps_per_epoch(); ++step)
      for (auto const sample : global_batch(plan, 3, 1, epoch, step)) seen.insert(sample);
    EXPECT_EQ(seen.size(), samples);
    EXPECT_EQ(std::set<std::size_t>(seen.begin(), seen.end()).size(), samples);
  }
}

TEST_P(EveryPlan, GivesTheSameGlobalBatchesForAnyNumberOfRanks) {
  auto const [samples, batch, block] = GetParam();
  for (std::size_t const ranks : {2, 3, 4, 7}) {
    if (ranks > (batch + block - 1) / block) continue;
    BatchPlan const alone(samples, batch, 1, block), shared(samples, batch, ranks, block);
    for (std::size_t step = 0; step < alone.steps_per_epoch(); ++step)
      EXPECT_EQ(global_batch(alone, 1, 9, 2, step), global_batch(shared, ranks, 9, 2, step)) << ranks << " ranks";
  }
}

TEST_P(EveryPlan, LoadsRanksEvenly) {
  auto const [samples, batch, block] = GetParam();
  BatchPlan const plan(samples, batch, 3, block);
  for (std::size_t const step : {std::size_t{0}, plan.steps_per_epoch() - 1})
    for (std::size_t r = 0; r < 3; ++r) {
      auto const rows = static_cast<double>(plan.ranks_at(step).rows_of(r));
      auto const fair = static_cast<double>(plan.ranks_at(step).rows()) / 3;
      EXPECT_LE(std::abs(rows - fair), static_cast<double>(block) + 1) << "rank " << r << " at step " << step;
    }
}

// A block's rows are the same rows whatever ranks there are: the blocks of all ranks, one after another, never change.
TEST_P(EveryPlan, KeepsBlocksWhole) {
  auto const [samples, batch, block] = GetParam();
  if (block == 1) return;  // blocks are not asked for: all rows of a rank stand in one
  auto const block_sizes = [&, &samples = samples, &batch = batch, &block = block](std::size_t ranks,
                                                                                   std::size_t step) {
    BatchPlan const plan(samples, batch, ranks, block);
    std::vector<std::size_t> sizes;
    for (std::size_t r = 0; r < ranks; ++r) {
      auto const blocks = plan.blocks_at(step, r);
      EXPECT_EQ(blocks.rows(), plan.ranks_at(step).rows_of(r));
      for (std::size_t i = 0; i < blocks.parts(); ++i) sizes.push_back(blocks.rows_of(i));
    }
    return sizes;
  };
  for (std::size_t const step : {std::size_t{0}, samples / batch})
    for (std::size_t const ranks : {2, 3}) EXPECT_EQ(block_sizes(1, step), block_sizes(ranks, step));
}

TEST(BatchPlan, ShufflesAnewEveryEpochAndSeed) {
  BatchPlan const plan(80, 8, 1);
  EXPECT_NE(global_batch(plan, 1, 1, 0, 0), global_batch(plan, 1, 1, 1, 0));
  EXPECT_NE(global_batch(plan, 1, 1, 0, 0), global_batch(plan, 1, 2, 0, 0));
  EXPECT_EQ(global_batch(plan, 1, 1, 0, 0), global_batch(plan, 1, 1, 0, 0));
}

}  // namespace minidad
