// SPDX-License-Identifier: BSD-3-Clause
// Every layer with every exchange, on full and ragged batches: what exchanges assume of layers holds for all of them.
#include <gtest/gtest.h>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "support/low_rank.hpp"
#include "support/test_comm.hpp"

namespace minidad {

struct LayerCase {
  std::string name;
  std::vector<std::string> lines;
  SampleShape input;
};

std::vector<LayerCase> const layer_cases{
    {"dense_on_sequence", {"dense 5 tanh", "flatten", "dense 4"}, {.height = 4, .channels = 3}},
    {"residual", {"dense 6 tanh", "residual", "dense 5 tanh", "dense 6", "end", "tanh", "dense 4"}, {.channels = 7}},
    {"embedding_and_transformer",
     {"embedding 6 vocabulary=256", "positions", "residual", "layernorm", "attention heads=2", "end", "flatten",
      "dense 4"},
     {.height = 3, .channels = 1}},
    {"causal_with_gelu_and_dropout",
     {"attention heads=2 causal", "dropout 0.3", "dense 5", "gelu", "dropout 0.2", "flatten", "dense 4"},
     {.height = 3, .channels = 4}},
    {"convolutions",
     {"conv 3 kernel=3 pad=1 tanh", "maxpool 2", "groupnorm groups=3", "conv 4 kernel=2 nobias", "avgpool", "dense 4"},
     {.height = 6, .width = 5, .channels = 2}},
    {"projection",
     {"residual project", "conv 3 kernel=3 stride=2 pad=1 tanh", "conv 3 kernel=1", "end tanh", "flatten", "dense 4"},
     {.height = 4, .width = 4, .channels = 2}},
    {"gru", {"gru 4", "last", "dense 4"}, {.height = 3, .channels = 2}},
    {"lstm", {"dense 3", "lstm 4", "flatten", "dense 4"}, {.height = 3, .channels = 2}},
};

class EveryLayer : public testing::TestWithParam<LayerCase> {
 protected:
  static SmallProblem::Options options(ExchangeSettings const& exchange) {
    SmallProblem::Options options{.exchange = exchange};
    options.layers = GetParam().lines;
    options.ends = {.input = GetParam().input, .classes = 4};
    return options;
  }
  static void expect_pooled(ExchangeSettings const& exchange) {
    SmallProblem problem(test_comm(), options(exchange));
    for (std::size_t step = 0; step < problem.plan.steps_per_epoch(); ++step) {
      auto const pooled = doubles(problem.pooled_gradient(0, step));
      EXPECT_LT(distance(doubles(problem.exchanged_gradient(0, step)), pooled), exact_tolerance)
          << exchange.method << " step " << step;
      std::uint64_t const mine[1] = {digest(problem.space, problem.gradient.flat)};
      EXPECT_FALSE(problem.comm.first_difference(mine)) << exchange.method << " step " << step;
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Layers, EveryLayer, testing::ValuesIn(layer_cases),
                         [](auto const& info) { return info.param.name; });

TEST_P(EveryLayer, GivesTheSameGradientThroughDsgd) { expect_pooled({.method = "dsgd"}); }
TEST_P(EveryLayer, GivesTheSameGradientThroughDad) { expect_pooled({.method = "dad"}); }

// As wide as the layers: nothing is left out.
TEST_P(EveryLayer, GivesTheSameGradientThroughWideFactors) {
  LowRankSettings const wide{.width = 40, .min_compression = always};
  for (auto const* method : {"rank_dad", "power_dad", "powersgd"}) expect_pooled({.method = method, .low_rank = wide});
}

TEST_P(EveryLayer, SumsExactlyWhatIsNoProduct) {
  SmallProblem problem(test_comm(),
                       options({.method = "rank_dad", .low_rank = {.width = 1, .min_compression = always}}));
  auto const found = doubles(problem.exchanged_gradient(0, 0)), pooled = doubles(problem.pooled_gradient(0, 0));
  std::size_t at = 0;
  for (auto const& shape : problem.model.shapes()) {
    auto const begin = static_cast<std::ptrdiff_t>(at + shape.weight_size()),
               end = static_cast<std::ptrdiff_t>(at + shape.size());
    at += shape.size();
    if (begin == end) continue;
    Flat const mine(found.begin() + begin, found.begin() + end), theirs(pooled.begin() + begin, pooled.begin() + end);
    EXPECT_LT(distance(mine, theirs), exact_tolerance) << shape.name;
  }
}

TEST_P(EveryLayer, IsRefusedWhereDeltasAreNoFunctionOfActivations) {
  EXPECT_THROW(SmallProblem(test_comm(), options({.method = "edad"})), Error);
  EXPECT_THROW(SmallProblem(test_comm(), options({.method = "dad", .deterministic = true, .row_block = 2})), Error);
}

TEST_P(EveryLayer, SendsWhatIsForecast) {
  for (auto const* method : {"dsgd", "dad", "rank_dad", "power_dad"}) {
    auto const given = options({.method = method, .low_rank = {.width = 1, .min_compression = always}});
    SmallProblem problem(test_comm(), given);
    double const before = exchanged_bytes(problem.comm.traffic());
    problem.exchanged_gradient(0, 0);
    double sent[1] = {exchanged_bytes(problem.comm.traffic()) - before};
    problem.comm.sum(std::span<double>(sent));
    auto const forecasts = forecast_exchanges(given.exchange, problem.model.shapes(), problem.comm.size(), given.batch);
    auto const mine = std::find_if(forecasts.begin(), forecasts.end(),
                                   [&](ExchangeForecast const& forecast) { return forecast.method == method; });
    EXPECT_NEAR(sent[0] / problem.comm.size(), mine->bytes_per_step, 1e-9 * sent[0]) << method;
  }
}

// The probe looks at each layer with a product, whatever travels, and finds the gradient that dsgd leaves. The solver is
// the one that is exact for any gradient: the iterated one loses digits with the condition, 1,400 roundings of an LSTM's
// gradient whose singular values span a factor of 130.
TEST_P(EveryLayer, IsSeenByTheProbe) {
  for (auto const* method : {"dsgd", "dad", "rank_dad"}) {
    auto given = options({.method = method, .low_rank = {.width = 40, .solver = "qr", .min_compression = always}});
    given.probe = {.every = 1, .per_class = true};
    SmallProblem problem(test_comm(), given);
    problem.trainer.step(0, 0);
    auto const& record = problem.probe->record();
    for (std::size_t l = 0; l < problem.model.shapes().size(); ++l) {
      if (!problem.model.shapes()[l].has_product()) continue;
      EXPECT_LT(record.applied_error[l], exact_tolerance) << method << " layer " << l;
      EXPECT_GT(record.global.measures[l * measure_names.size() + static_cast<std::size_t>(Measure::norm)], 0);
    }
  }
}

}  // namespace minidad
