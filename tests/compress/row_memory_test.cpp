// SPDX-License-Identifier: BSD-3-Clause
#include "compress/row_memory.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <numeric>

#include "support/dense.hpp"

namespace minidad {

constexpr double eps = std::numeric_limits<Real>::epsilon();

/// A memory that is given rows of which nothing is sent.
struct Remembering {
  Remembering(MemorySettings const& settings, std::size_t max_rows, std::size_t in, std::size_t out)
      : memory(settings, {.in = in, .out = out, .max_rows = max_rows, .few = 1}, 5),
        nothing(empty_factors(0, in, out)),
        dense("minidad::test::dense", in, out),
        given(in, out) {}
  void give(Factors const& rows) {
    memory.stack(space, rows);
    memory.settle(space, nothing);
    given += Dense(rows);
  }
  Dense kept() const {
    memory.write_kept(space, dense, 0);
    Dense result(given.rows, given.cols);
    auto const host = host_copy(dense);
    result.x.assign(host.begin(), host.end());
    return result;
  }

  ExecSpace space;
  RowMemory memory;
  Factors nothing;
  Matrix dense;
  Dense given;
};

double inner_product(Dense const& a, Dense const& b) {
  return std::inner_product(a.x.begin(), a.x.end(), b.x.begin(), 0.0);
}

/// Gaussian rows, each half as long as the one before.
Factors fading_rows(std::size_t rows, std::size_t in, std::size_t out, unsigned seed) {
  auto const g = random_factors(rows, in, out, seed);
  auto const delta = host_copy(g.delta);
  std::vector<double> scaled(delta.begin(), delta.end());
  for (std::size_t i = 0; i < scaled.size(); ++i) scaled[i] *= std::pow(0.5, i / out);
  return {g.input, device_matrix(rows, out, scaled)};
}

TEST(RowMemory, KeepsNearlyTheBestOfWhatItIsGiven) {
  Remembering remembering({.rows = 24, .period = 4}, 12, 60, 50);
  for (unsigned step = 0; step < 3; ++step) remembering.give(fading_rows(12, 60, 50, step));
  auto const all = remembering.given;
  EXPECT_LT((all - remembering.kept()).norm(), 1000 * eps * all.norm());  // nothing has been reduced so far
  remembering.give(empty_factors(12, 60, 50));
  double const lost = (all - remembering.kept()).norm(), least = (all - all.truncated(24)).norm();
  EXPECT_GT(lost, least);
  EXPECT_LT(lost, 1.3 * least);
  EXPECT_LT(lost, 0.5 * (all - all.truncated(16)).norm());
}

// A direction as weak as noise in each step, but the same in all of them, is what is there in the end; what was strong
// once has been reduced nine times since.
TEST(RowMemory, KeepsWhatComesBack) {
  std::size_t const steps = 80, rows = 6, in = 60, out = 50;
  Remembering remembering({.rows = 8, .period = 8}, rows + 1, in, out);
  auto const steady = random_factors(1, in, out, 1000);
  auto const steady_input = host_copy(steady.input), steady_delta = host_copy(steady.delta);
  for (std::uint64_t step = 0; step < steps; ++step) {
    auto const noise = random_factors(rows, in, out, step);
    auto const a = host_copy(noise.input), d = host_copy(noise.delta);
    std::vector<double> input(a.begin(), a.end()), delta(d.begin(), d.end());
    input.insert(input.end(), steady_input.begin(), steady_input.end());
    delta.insert(delta.end(), steady_delta.begin(), steady_delta.end());
    remembering.give({device_matrix(rows + 1, in, input), device_matrix(rows + 1, out, delta)});
  }
  Dense const direction(steady);
  double const kept = inner_product(remembering.kept(), direction) / inner_product(direction, direction);
  EXPECT_NEAR(kept, static_cast<double>(steps), 0.1 * static_cast<double>(steps));
}

TEST(RowMemory, IsExactWhereTheLayerHasNoMoreDirections) {
  Remembering remembering({.rows = 16, .period = 2}, 12, 40, 7);
  for (std::uint64_t step = 0; step < 9; ++step) remembering.give(random_factors(12, 40, 7, step));
  EXPECT_LT((remembering.given - remembering.kept()).norm(), 1000 * eps * remembering.given.norm());
}

TEST(RowMemory, KeepsNothingOfNothingAndRecovers) {
  Remembering remembering({.rows = 4, .period = 1}, 3, 20, 10);
  for (int step = 0; step < 5; ++step) remembering.give(empty_factors(3, 20, 10));
  EXPECT_EQ(remembering.kept().norm(), 0);
  for (int step = 0; step < 5; ++step) remembering.give(first_rows(random_factors(3, 20, 10, 1), step == 2 ? 0 : 3));
  EXPECT_LT((remembering.given - remembering.kept()).norm(), 1000 * eps * remembering.given.norm());
}

}  // namespace minidad
