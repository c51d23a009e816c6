// SPDX-License-Identifier: BSD-3-Clause
#include "exchange/exchange.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "support/host_copy.hpp"
#include "support/small_problem.hpp"
#include "support/test_comm.hpp"

namespace minidad {

/// A gradient entry is a sum over the rows of the batch; each row's factors went through sums as wide as the layers.
/// Each way of adding rounds at most that many times, so two ways differ by at most twice that, relative to the norm.
double rounding(SmallProblem::Options const& options) {
  std::size_t terms = options.batch;
  for (auto const& shape : options.shapes) terms += shape.in + shape.out;
  return 2 * static_cast<double>(terms) * std::numeric_limits<Real>::epsilon();
}

class EveryExchange : public testing::TestWithParam<ExchangeSettings> {};

INSTANTIATE_TEST_SUITE_P(Exchanges, EveryExchange,
                         testing::Values(ExchangeSettings{.method = "dsgd"},
                                         ExchangeSettings{.method = "dsgd", .bucket_kib = 0},
                                         ExchangeSettings{.method = "dad"},
                                         ExchangeSettings{.method = "dad", .deterministic = true, .row_block = 2},
                                         ExchangeSettings{.method = "edad"},
                                         ExchangeSettings{.method = "edad", .deterministic = true, .row_block = 2}),
                         [](auto const& info) {
                           return info.param.method + (info.param.deterministic ? "_deterministic" : "") +
                                  (info.param.bucket_kib == 0 ? "_unbucketed" : "");
                         });

TEST_P(EveryExchange, FormsThePooledGradientOfFullAndRaggedBatches) {
  SmallProblem::Options const options{.exchange = GetParam()};
  SmallProblem problem(test_comm(), options);
  for (std::size_t step = 0; step < problem.plan.steps_per_epoch(); ++step) {
    auto const pooled = problem.pooled_gradient(0, step);
    EXPECT_LT(relative_distance(problem.exchanged_gradient(0, step), pooled), rounding(options)) << "step " << step;
  }
}

// One left-over sample: all ranks but one have no rows at all.
TEST_P(EveryExchange, FormsThePooledGradientWhenRanksHaveNoRows) {
  SmallProblem::Options options{.exchange = GetParam()};
  options.samples = 2 * options.batch + 1;
  SmallProblem problem(test_comm(), options);
  auto const pooled = problem.pooled_gradient(1, 2);
  EXPECT_LT(relative_distance(problem.exchanged_gradient(1, 2), pooled), rounding(options));
}

TEST_P(EveryExchange, LeavesTheSameBitsOnEveryRank) {
  SmallProblem problem(test_comm(), {.exchange = GetParam()});
  for (std::size_t step = 0; step < problem.plan.steps_per_epoch(); ++step) {
    problem.exchanged_gradient(0, step);
    std::uint64_t const mine[1] = {digest(problem.space, problem.gradient.flat)};
    EXPECT_FALSE(problem.comm.first_difference(mine)) << "step " << step;
  }
}

/// Bytes that this rank sends for one call, by the entries "layer..." of its books.
double bytes_of(SmallProblem& problem, std::size_t step) {
  double const before = exchanged_bytes(problem.comm.traffic());
  problem.exchanged_gradient(0, step);
  return exchanged_bytes(problem.comm.traffic()) - before;
}

TEST(Dsgd, SendsWhatItsFormulaSays) {
  SmallProblem problem(test_comm(), {.exchange = {.method = "dsgd"}});
  double const d = static_cast<double>(parameter_count(problem.model.shapes())), s = problem.comm.size();
  double expected = 0;  // 2 (S-1)/S w d, layer by layer as the books have it
  for (auto const& shape : problem.model.shapes())
    expected += 2 * (s - 1) * static_cast<double>(shape.size() * sizeof(Real)) / s;
  EXPECT_NEAR(bytes_of(problem, 0), expected, 1e-9 * expected);  // sums of doubles, not of whole bytes
  EXPECT_NEAR(2 * (s - 1) / s * sizeof(Real) * d, expected, 1e-9 * expected);
  EXPECT_EQ(forecast_exchanges(problem.options.exchange, problem.model.shapes(), problem.comm.size(),
                               problem.options.batch)[0]
                .bytes_per_step,
            2 * (s - 1) * (sizeof(Real) * d) / s);
}

TEST(Dad, SendsWhatItsFormulaSaysToTheByte) {
  SmallProblem problem(test_comm(), {.exchange = {.method = "dad"}});
  auto const s = static_cast<std::size_t>(problem.comm.size());
  std::size_t width = 0;
  for (auto const& shape : problem.model.shapes()) width += shape.in + shape.out;
  for (std::size_t const step : {std::size_t{0}, problem.plan.steps_per_epoch() - 1}) {
    auto const rows = problem.plan.ranks_at(step).rows_of(problem.rank);
    auto const expected = static_cast<double>((s - 1) * sizeof(Real) * rows * width);  // (S-1) w N (h_in + h_out)
    auto const found = bytes_of(problem, step);
    EXPECT_EQ(found, expected);
    double sum[1] = {found};
    problem.comm.sum(std::span<double>(sum));
    if (step > 0) continue;
    auto const forecast = forecast_exchanges(problem.options.exchange, problem.model.shapes(), problem.comm.size(),
                                             problem.options.batch)[1];
    EXPECT_EQ(sum[0] / static_cast<double>(s), forecast.bytes_per_step);
  }
}

TEST(Edad, SendsWhatItsFormulaSaysToTheByte) {
  SmallProblem problem(test_comm(), {.exchange = {.method = "edad"}});
  auto const s = static_cast<std::size_t>(problem.comm.size());
  std::size_t width = problem.model.shapes().back().out;
  for (auto const& shape : problem.model.shapes()) width += shape.in;
  for (std::size_t const step : {std::size_t{0}, problem.plan.steps_per_epoch() - 1}) {
    auto const rows = problem.plan.ranks_at(step).rows_of(problem.rank);
    EXPECT_EQ(bytes_of(problem, step), static_cast<double>((s - 1) * sizeof(Real) * rows * width));
  }
  // 784-1024-1024-10, 32 rows a rank: 90,944 scalars contributed against 1,863,690 of the gradient.
  auto const mlp =
      dense_chain({{784, 1024, Activation::relu}, {1024, 1024, Activation::relu}, {1024, 10, Activation::identity}})
          .shapes();
  EXPECT_EQ(forecast_exchanges({}, mlp, 2, 64)[2].bytes_per_step, 90944.0 * sizeof(Real));
}

// Hidden deltas come from the outputs alone: a derivative helper applied to the wrong quantity shows here.
TEST(Edad, EqualsDadForEveryActivation) {
  for (std::size_t i = 0; i < activation_names.size(); ++i) {
    auto const phi = static_cast<Activation>(i);
    SmallProblem::Options options{.shapes = {{12, 9, phi}, {9, 7, phi}, {7, 4, Activation::identity}},
                                  .exchange = {.method = "edad"}};
    SmallProblem edad(test_comm(), options);
    options.exchange.method = "dad";
    SmallProblem dad(test_comm(), options);
    auto const last = edad.plan.steps_per_epoch() - 1;
    EXPECT_LT(relative_distance(edad.exchanged_gradient(0, last), dad.exchanged_gradient(0, last)), rounding(options))
        << activation_names[i];
  }
}

TEST(Dsgd, PacksSmallLayersIntoOneMessage) {
  auto& comm = test_comm();
  auto const messages = [&] {
    std::int64_t sum = 0;
    for (auto const& entry : comm.traffic().entries())
      if (entry.part.starts_with("layer")) sum += entry.messages;
    return sum;
  };
  SmallProblem packed(comm, {.exchange = {.method = "dsgd"}});
  auto before = messages();
  packed.exchanged_gradient(0, 0);
  EXPECT_EQ(messages() - before, 1);
  SmallProblem single(comm, {.exchange = {.method = "dsgd", .bucket_kib = 0}});
  before = messages();
  single.exchanged_gradient(0, 0);
  EXPECT_EQ(messages() - before, 3);
}

// The promise in one number: the digest of the parameters after two epochs with a ragged last batch, from this number
// of ranks, equals that of one rank training alone.
TEST(DeterministicDad, TrainsToTheSameBitsAsOneRank) {
  SmallProblem::Options const options{.exchange = {.method = "dad", .deterministic = true, .row_block = 2},
                                      .optimiser = {.momentum = 0.9, .weight_decay = 1e-3}};
  SmallProblem together(test_comm(), options);
  together.trainer.run({});
  auto const found = digest(together.space, together.network.parameters().flat);

  // One rank by hand: all blocks of the plan on this rank, the product of all rows, the same optimiser.
  BatchPlan const plan(options.samples, options.batch, 1, 2);
  SmallProblem alone(test_comm(), options);  // for its parts; its exchange stays unused
  Optimiser optimiser(options.optimiser, alone.gradient.flat.extent(0));
  for (std::size_t epoch = 0; epoch < 2; ++epoch)
    for (std::size_t step = 0; step < plan.steps_per_epoch(); ++step) {
      alone.pooled_gradient_in_blocks(epoch, step, 2);
      optimiser.update(alone.space, options.schedule.rate, alone.gradient.flat, alone.network.parameters().flat);
    }
  EXPECT_EQ(found, digest(alone.space, alone.network.parameters().flat));
}

TEST(None, FormsTheMeanGradientOfItsOwnRows) {
  for (std::size_t const samples : {53, 29}) {  // 11 rows left over, and one: then all ranks but one have none
    SmallProblem::Options options{.exchange = {.method = "none"}};
    options.samples = samples;
    SmallProblem problem(test_comm(), options);
    for (std::size_t step = 0; step < problem.plan.steps_per_epoch(); ++step) {
      auto const own = problem.own_gradient(0, step);
      auto const found = problem.exchanged_gradient(0, step);
      if (problem.plan.ranks_at(step).rows_of(problem.rank) == 0)
        EXPECT_EQ(found, std::vector<Real>(found.size(), 0)) << "step " << step;
      else
        EXPECT_LT(relative_distance(found, own), rounding(options)) << "step " << step;
    }
  }
}

TEST(None, OnOneRankIsThePooledGradientAndElsewhereIsNot) {
  SmallProblem::Options const options{.exchange = {.method = "none"}};
  SmallProblem problem(test_comm(), options);
  auto const pooled = problem.pooled_gradient(0, 0);
  auto const distance = relative_distance(problem.exchanged_gradient(0, 0), pooled);
  if (problem.comm.size() == 1)
    EXPECT_LT(distance, rounding(options));
  else
    EXPECT_GT(distance, 1e3 * rounding(options));
}

TEST(None, SendsNothing) {
  SmallProblem problem(test_comm(), {.exchange = {.method = "none"}});
  auto const entries = problem.comm.traffic().entries().size();
  EXPECT_EQ(bytes_of(problem, 0), 0);
  EXPECT_EQ(problem.comm.traffic().entries().size(), entries);  // not even control traffic of a new kind
  auto const forecasts = forecast_exchanges({}, problem.model.shapes(), 3, problem.options.batch);
  ASSERT_EQ(forecasts.size(), exchange_names.size());
  for (std::size_t i = 0; i < forecasts.size(); ++i) {
    EXPECT_EQ(forecasts[i].method, exchange_names[i]);
    EXPECT_EQ(forecasts[i].bytes_per_step == 0, forecasts[i].method == "none");
    EXPECT_EQ(forecasts[i].replicates, make_exchange({.method = forecasts[i].method}, problem.comm,
                                                     problem.model.shapes(), problem.options.batch, problem.gradient, 1)
                                           ->replicates());
  }
}

TEST(MakeExchange, RefusesAnUnknownMethod) {
  auto const shapes = dense_chain({{2, 2, Activation::identity}}).shapes();
  EXPECT_THROW(make_exchange({.method = "telepathy"}, test_comm(), shapes, 4, Parameters("gradient", shapes), 1),
               Error);
}

}  // namespace minidad
