// SPDX-License-Identifier: BSD-3-Clause
#include "train/trainer.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/digest.hpp"
#include "support/files.hpp"
#include "support/host_copy.hpp"
#include "support/small_problem.hpp"
#include "support/test_comm.hpp"
#include "train/replica_check.hpp"

namespace minidad {

TEST(Trainer, LearnsWithEitherExchange) {
  for (auto const* method : {"dsgd", "dad", "edad"}) {
    SmallProblem problem(test_comm(), {.samples = 500,
                                       .batch = 32,
                                       .exchange = {.method = method},
                                       .training = {.epochs = 40},
                                       .schedule = {.rate = 0.05}});
    auto const before = problem.trainer.evaluate(0);
    auto const after = problem.trainer.run({});
    EXPECT_LT(after.test_loss, before.test_loss / 4) << method;
    EXPECT_GT(after.test_accuracy, 0.9) << method;
    EXPECT_EQ(after.steps, 40 * 16);
  }
}

TEST(Trainer, ReportsEveryStepOnce) {
  SmallProblem problem(test_comm(), {.training = {.epochs = 3, .record_every = 5}});  // 4 steps an epoch
  std::vector<std::int64_t> steps, epochs;
  problem.trainer.run({.step = [&](StepRecord const& r) { steps.push_back(r.step); },
                       .epoch = [&](EpochRecord const& r) { epochs.push_back(r.epoch); }});
  EXPECT_EQ(steps, (std::vector<std::int64_t>{5, 10, 12}));
  EXPECT_EQ(epochs, (std::vector<std::int64_t>{1, 2, 3}));
}

TEST(Trainer, BooksBytesPerChannelThatAddUpToTheFormula) {
  SmallProblem problem(test_comm(), {.exchange = {.method = "dad"}});
  std::vector<double> sent;
  problem.trainer.run({.step = [&](StepRecord const& r) {
    sent.resize(r.bytes_sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) sent[i] += r.bytes_sent[i];
  }});
  auto const& entries = problem.comm.traffic().entries();
  double found = 0;
  for (std::size_t i = 0; i < sent.size(); ++i)
    if (entries[i].collective == "allgatherv") found += sent[i];
  std::size_t width = 0, rows = 0;
  for (auto const& shape : problem.model.shapes()) width += shape.in + shape.out;
  for (std::size_t s = 0; s < problem.plan.steps_per_epoch(); ++s)
    rows += 2 * problem.plan.ranks_at(s).rows_of(problem.rank);  // two epochs
  EXPECT_EQ(found,
            static_cast<double>((static_cast<std::size_t>(problem.comm.size()) - 1) * sizeof(Real) * rows * width));
}

// The norm is that of the gradient that was reconstructed, and the step is as long as it may be.
TEST(Trainer, ClipsTheGradientOfAllRanks) {
  constexpr double longest = 0.01, rate = 0.1;
  for (auto const* method : {"dsgd", "dad", "rank_dad", "powersgd"}) {
    SmallProblem problem(test_comm(), {.exchange = {.method = method},
                                       .optimiser = {.momentum = 0, .clip_norm = longest},
                                       .training = {.epochs = 1, .record_every = 1},
                                       .schedule = {.rate = rate}});
    std::vector<double> norms;
    auto before = host_copy(problem.network.parameters().flat);
    problem.trainer.run({.step = [&](StepRecord const& r) {
      double sum = 0;
      for (auto const g : host_copy(problem.gradient.flat)) sum += static_cast<double>(g) * static_cast<double>(g);
      EXPECT_NEAR(r.gradient_norm, std::sqrt(sum), 1e-12 * r.gradient_norm);
      EXPECT_GT(r.gradient_norm, longest) << method;
      auto const after = host_copy(problem.network.parameters().flat);
      double moved = 0;
      for (std::size_t i = 0; i < after.size(); ++i)
        moved += std::pow(static_cast<double>(after[i]) - static_cast<double>(before[i]), 2);
      // A move is rate * longest, to the rounding of parameters of order one.
      double const rounding = std::numeric_limits<Real>::epsilon() * std::sqrt(static_cast<double>(after.size()));
      EXPECT_NEAR(std::sqrt(moved), rate * longest, rounding) << method;
      before = after;
      norms.push_back(r.gradient_norm);
    }});
    EXPECT_EQ(norms.size(), problem.plan.steps_per_epoch());
  }
}

TEST(Trainer, StopsSavesAndShowsWhereOneRankWishesIt) {
  SmallProblem problem(test_comm(), {.training = {.epochs = 3}});
  bool const wishes = test_comm().rank() == test_comm().size() - 1;
  std::vector<std::int64_t> saves, shows;
  problem.trainer.run(
      {.wish =
           [&] {
             auto const step = problem.trainer.steps_done() + 1;
             return Wishes{.stop = wishes && step == 7, .save = wishes && step % 3 == 0, .show = wishes && step == 2};
           },
       .go_on =
           [&](Wishes const& agreed) {
             if (agreed.show) shows.push_back(problem.trainer.steps_done());
             if (agreed.save) saves.push_back(problem.trainer.steps_done());
             return !agreed.stop;
           }});
  EXPECT_EQ(saves, (std::vector<std::int64_t>{3, 6}));
  EXPECT_EQ(shows, std::vector<std::int64_t>{2});
  EXPECT_EQ(problem.trainer.steps_done(), 7);
}

TEST(Trainer, FindsDivergenceInTheStep) {
  for (auto const* method : {"dsgd", "edad", "powersgd"}) {
    SmallProblem exploding(test_comm(),
                           {.exchange = {.method = method}, .training = {.explosion = 10}, .schedule = {.rate = 100}});
    expect_error(ExitCode::not_finite, {"step ", "the loss is", "that of the first step was"},
                 [&] { exploding.trainer.run({}); });
    EXPECT_LT(exploding.trainer.steps_done(), 8) << method;
    SmallProblem overflowing(
        test_comm(), {.exchange = {.method = method}, .training = {.explosion = 0}, .schedule = {.rate = 1e30}});
    expect_error(ExitCode::not_finite, {"step "}, [&] { overflowing.trainer.run({}); });
    EXPECT_LT(overflowing.trainer.steps_done(), 8) << method;
  }
}

TEST(Trainer, NamesTheLayerOfADivergenceOfModelsThatAreNoReplicas) {
  SmallProblem problem(test_comm(),
                       {.exchange = {.method = "none"}, .training = {.explosion = 0}, .schedule = {.rate = 1e30}});
  expect_error(ExitCode::not_finite, {"step ", "rank ", "layer "}, [&] { problem.trainer.run({}); });
}

TEST(Trainer, WithNoEpochsDoesNothing) {
  SmallProblem problem(test_comm(), {.training = {.epochs = 0}});
  EXPECT_EQ(problem.trainer.run({}).steps, 0);
}

TEST(CheckReplicas, IsContentWithEqualOnes) {
  SmallProblem problem(test_comm(), {});
  check_replicas(problem.space, problem.comm, problem.network.parameters(), 1);
}

TEST(CheckReplicas, NamesStepAndLayerOfADifference) {
  auto& comm = test_comm();
  SmallProblem problem(comm, {});
  auto const entry = Kokkos::subview(problem.network.parameters().layer[1].bias(), 2);
  if (comm.rank() == comm.size() - 1) Kokkos::deep_copy(entry, Real(1e-30));  // one rank, one bias, one tiny number
  if (comm.size() == 1) return check_replicas(problem.space, comm, problem.network.parameters(), 42);
  expect_error(ExitCode::run_time, {"after step 42", "layer 1"},
               [&] { check_replicas(problem.space, comm, problem.network.parameters(), 42); });
}

TEST(CheckReplicas, IsDoneWhileTraining) {
  auto& comm = test_comm();
  SmallProblem problem(comm, {.training = {.epochs = 1, .check_replicas_every = 2}});
  auto const entry = Kokkos::subview(problem.network.parameters().layer[2].weight(), 0, 0);
  if (comm.rank() == 0) Kokkos::deep_copy(entry, Real(3));
  if (comm.size() == 1) {
    problem.trainer.run({});
    return;
  }
  expect_error(ExitCode::run_time, {"after step 2"}, [&] { problem.trainer.run({}); });
}

// Ranks on their own: what would end any other run as a difference of replicas is what is wanted here.
TEST(CheckReplicas, IsLeftOutWithoutAnExchange) {
  SmallProblem problem(test_comm(), {.exchange = {.method = "none"}, .training = {.check_replicas_every = 1}});
  auto const result = problem.trainer.run({});
  EXPECT_EQ(result.bytes_per_step, 0);
  std::uint64_t const mine[1] = {digest(problem.space, problem.network.parameters().flat)};
  EXPECT_EQ(problem.comm.first_difference(mine).has_value(), problem.comm.size() > 1);
}

}  // namespace minidad
