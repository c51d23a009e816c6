// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include "support/low_rank.hpp"
#include "support/test_comm.hpp"

namespace minidad {

/// What error feedback keeps, of all layers and summed over ranks, as a flat gradient.
Flat kept(SmallProblem& problem) {
  Flat flat;
  for (std::size_t l = 0; l < problem.model.shapes().size(); ++l) {
    auto const& shape = problem.model.shapes()[l];
    Matrix const dense("minidad::test::kept", shape.in, shape.out);
    problem.exchange->write_kept(problem.space, l, dense);
    auto const host = host_copy(dense);
    flat.insert(flat.end(), host.begin(), host.end());
    flat.insert(flat.end(), shape.out, 0.0);
  }
  problem.comm.sum(std::span<double>(flat));
  return flat;
}

// Given = sent + kept, over any number of steps; nothing is beyond a memory of full width.
TEST(ErrorFeedback, LosesNothing) {
  for (auto const& [name, method, settings] :
       {Case{"gram", "rank_dad", {.width = 2, .solver = "gram", .feedback = 12, .min_compression = always}},
        {"qr", "rank_dad", {.width = 2, .solver = "qr", .feedback = 12, .min_compression = always}},
        {"block", "rank_dad", {.width = 2, .feedback = 12, .min_compression = always}},
        {"root", "rank_dad", {.width = 2, .pattern = "root", .feedback = 12, .min_compression = always}},
        {"tree", "rank_dad", {.width = 2, .pattern = "tree", .feedback = 12, .min_compression = always}},
        {"budget", "rank_dad", {.width = 4, .epsilon = 0.5, .feedback = 12, .min_compression = always}},
        {"powersgd", "powersgd", {.width = 2, .min_compression = always}},
        {"power_dad", "power_dad", {.width = 2, .feedback = 12, .min_compression = always}},
        {"power_dad_each_step",
         "power_dad",
         {.width = 2, .feedback = 12, .feedback_period = 1, .min_compression = always}},
        {"power_dad_budget", "power_dad", {.width = 4, .epsilon = 0.5, .feedback = 12, .min_compression = always}}}) {
    SmallProblem problem(test_comm(), with(method, settings));
    Flat given(problem.gradient.flat.extent(0)), sent = given;
    for (std::size_t step = 0; step < 2 * problem.plan.steps_per_epoch(); ++step) {
      auto const epoch = step / problem.plan.steps_per_epoch(), at = step % problem.plan.steps_per_epoch();
      given += doubles(problem.pooled_gradient(epoch, at));
      sent += doubles(problem.exchanged_gradient(epoch, at));
    }
    auto const memory = kept(problem);
    EXPECT_GT(norm(memory), 0.01 * norm(given)) << name;  // there was something to keep
    EXPECT_LT(distance(sent += memory, given), 10 * exact_tolerance) << name;
  }
}

// A memory that is too narrow loses something, but only when it is reduced.
TEST(ErrorFeedback, LosesWhatIsBeyondItsWidth) {
  SmallProblem problem(test_comm(),
                       with("power_dad", {.width = 1, .feedback = 1, .feedback_period = 3, .min_compression = always}));
  Flat given(problem.gradient.flat.extent(0)), sent = given;
  for (std::size_t step = 0; step < 3; ++step) {
    given += doubles(problem.pooled_gradient(0, step));
    sent += doubles(problem.exchanged_gradient(0, step));
    auto total = sent;
    double const lost = distance(total += kept(problem), given);
    if (step < 2) {
      EXPECT_LT(lost, 10 * exact_tolerance) << step;
    } else {
      EXPECT_GT(lost, 0.01) << step;
    }
  }
}

TEST(ErrorFeedback, IsAbsentUnlessAskedFor) {
  for (auto const& [name, method, settings] : {Case{"", "rank_dad", {.width = 2, .min_compression = always}},
                                               {"", "power_dad", {.width = 2, .min_compression = always}}}) {
    SmallProblem problem(test_comm(), with(method, settings));
    problem.exchanged_gradient(0, 0);
    EXPECT_EQ(norm(kept(problem)), 0) << method;
  }
}

}  // namespace minidad
