// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "exchange/power.hpp"
#include "support/files.hpp"
#include "support/low_rank.hpp"
#include "support/test_comm.hpp"

namespace minidad {

std::vector<Case> const lossy_cases{
    {"rank_dad_gram", "rank_dad", {.width = 2, .solver = "gram", .min_compression = always}},
    {"rank_dad_qr_feedback", "rank_dad", {.width = 2, .solver = "qr", .feedback = 3, .min_compression = always}},
    {"rank_dad_block", "rank_dad", {.width = 2, .min_compression = always}},
    {"rank_dad_author", "rank_dad", {.width = 3, .solver = "author", .sweeps = 5, .min_compression = always}},
    {"rank_dad_root", "rank_dad", {.width = 2, .pattern = "root", .feedback = 3, .min_compression = always}},
    {"rank_dad_tree", "rank_dad", {.width = 2, .pattern = "tree", .feedback = 3, .min_compression = always}},
    {"rank_dad_budget", "rank_dad", {.width = 6, .epsilon = 0.3, .feedback = 3, .min_compression = always}},
    {"powersgd", "powersgd", {.width = 2, .min_compression = always}},
    {"powersgd_cold", "powersgd", {.width = 2, .warm_start = false, .min_compression = always}},
    {"powersgd_delayed", "powersgd", {.width = 2, .min_compression = always, .start_step = 3}},
    {"power_dad", "power_dad", {.width = 2, .sweeps = 2, .min_compression = always}},
    {"power_dad_feedback", "power_dad", {.width = 2, .feedback = 3, .min_compression = always}},
    {"power_dad_budget", "power_dad", {.width = 6, .epsilon = 0.3, .feedback = 3, .min_compression = always}},
    {"power_dad_budget_sweeps", "power_dad", {.width = 6, .epsilon = 0.3, .sweeps = 2, .min_compression = always}},
    {"power_dad_some_layers", "power_dad", {.width = 2, .min_compression = 1.2}},
};

std::vector<LowRankSettings> const wide_rank_dad{
    {.width = 14, .solver = "gram", .min_compression = always},
    {.width = 14, .solver = "qr", .min_compression = always},
    {.width = 14, .solver = "block", .min_compression = always},
    {.width = 14, .solver = "gram", .pattern = "root", .min_compression = always},
    {.width = 14, .solver = "qr", .pattern = "tree", .min_compression = always},
    {.width = 14, .solver = "block", .pattern = "tree", .min_compression = always},
};

// As many rows as the global batch has: nothing is left out.
TEST(RankDad, EqualsDadWhenItIsAsWideAsTheBatch) {
  for (auto const& settings : wide_rank_dad) {
    SmallProblem problem(test_comm(), with("rank_dad", settings));
    for (std::size_t step = 0; step < problem.plan.steps_per_epoch(); ++step) {
      auto const pooled = doubles(problem.pooled_gradient(0, step));
      EXPECT_LT(distance(doubles(problem.exchanged_gradient(0, step)), pooled), exact_tolerance)
          << settings.solver << " " << settings.pattern << " step " << step;
    }
  }
}

TEST(RankDad, EqualsDadWhenRanksHaveNoRows) {
  for (auto settings : wide_rank_dad) {
    auto options = with("rank_dad", settings);
    options.samples = 2 * options.batch + 1;
    SmallProblem problem(test_comm(), options);
    auto const pooled = doubles(problem.pooled_gradient(1, 2));
    EXPECT_LT(distance(doubles(problem.exchanged_gradient(1, 2)), pooled), exact_tolerance) << settings.solver;
  }
}

/// The sum over ranks of what each one's own best approximation leaves out: the bound on the one-way error.
double sum_of_tails(SmallProblem& problem, std::size_t layer, std::size_t width) {
  Dense const g(problem.own_rows(0, 0).factors(layer));
  double sum[1] = {(g - g.truncated(width)).norm()};
  problem.comm.sum(std::span<double>(sum));
  return sum[0];
}

TEST(RankDad, KeepsItsErrorBounds) {
  for (std::string const pattern : {"oneway", "root", "tree"}) {
    SmallProblem problem(
        test_comm(), with("rank_dad", {.width = 2, .solver = "gram", .pattern = pattern, .min_compression = always}));
    auto const pooled = doubles(problem.pooled_gradient(0, 0));
    auto const found = doubles(problem.exchanged_gradient(0, 0));
    for (std::size_t l = 0; l < 3; ++l) {
      auto const g = dense_weights(problem, pooled, l), g_found = dense_weights(problem, found, l);
      double const error = (g - g_found).norm(), one_way = sum_of_tails(problem, l, 2);
      double const best = (g - g.truncated(2)).norm();
      double const slack = 1e-6 * g.norm();
      if (pattern == "oneway") {
        EXPECT_LE(error, one_way + slack);
      } else {  // cut again, on the way, to rank 2
        EXPECT_GE(error, best - slack);
        EXPECT_LE(error, best + 4 * one_way + slack);
        EXPECT_LT(error, g.norm());
        auto const values = g_found.singular_values();
        for (std::size_t j = 2; j < values.size(); ++j) EXPECT_LT(values[j], exact_tolerance * values[0]);
      }
    }
  }
}

TEST(Power, IsExactWhenItIsAsWideAsTheGradient) {
  for (std::string const method : {"powersgd", "power_dad"}) {
    SmallProblem problem(test_comm(), with(method, {.width = 12, .min_compression = always}));
    for (std::size_t step = 0; step < problem.plan.steps_per_epoch(); ++step) {
      auto const pooled = doubles(problem.pooled_gradient(0, step));
      EXPECT_LT(distance(doubles(problem.exchanged_gradient(0, step)), pooled), exact_tolerance) << method << step;
    }
  }
}

// Rows of p - y sum to zero, so the last layer's gradient has one rank less than there are classes.
TEST(Power, NeedsOneColumnLessThanThereAreClasses) {
  for (std::string const method : {"powersgd", "power_dad"}) {
    SmallProblem problem(test_comm(), with(method, {.width = 3, .min_compression = always}));
    auto const pooled = doubles(problem.pooled_gradient(0, 0)), found = doubles(problem.exchanged_gradient(0, 0));
    EXPECT_LT(distance(weights_of(problem, found, 2), weights_of(problem, pooled, 2)), exact_tolerance) << method;
    EXPECT_GT(distance(weights_of(problem, found, 0), weights_of(problem, pooled, 0)), 0.01) << method;
    auto const values = dense_weights(problem, pooled, 2).singular_values();
    EXPECT_LT(values[3], exact_tolerance * values[0]);
  }
}

TEST(Power, IsTheSameFromRowsAsFromGradients) {
  LowRankSettings const settings{.width = 2, .dense_feedback = false, .min_compression = always};
  SmallProblem dense(test_comm(), with("powersgd", settings)), rows(test_comm(), with("power_dad", settings));
  for (std::size_t step = 0; step < 4; ++step)  // warm starts from the same draws
    EXPECT_LT(distance(doubles(rows.exchanged_gradient(0, step)), doubles(dense.exchanged_gradient(0, step))),
              exact_tolerance)
        << step;
}

TEST(Power, ProjectsTheCommonGradient) {
  SmallProblem problem(test_comm(), with("power_dad", {.width = 2, .min_compression = always}));
  auto const pooled = doubles(problem.pooled_gradient(0, 0)), found = doubles(problem.exchanged_gradient(0, 0));
  for (std::size_t l = 0; l < 3; ++l) {
    auto const g = dense_weights(problem, pooled, l), p = dense_weights(problem, found, l);
    EXPECT_LE(p.norm(), g.norm() * (1 + exact_tolerance));
    double const missing = (g - p).norm();
    EXPECT_NEAR(missing * missing, g.norm() * g.norm() - p.norm() * p.norm(), exact_tolerance * g.norm() * g.norm());
  }
}

TEST(LowRank, LeavesTheSameBitsOnEveryRankAfterAHundredSteps) {
  for (auto const& [name, method, settings] : lossy_cases) {
    auto options = with(method, settings);
    options.training = {.epochs = 25, .seed = 3, .check_replicas_every = 1};  // throws where they differ
    SmallProblem problem(test_comm(), options);
    EXPECT_NO_THROW(problem.trainer.run({})) << name;
    EXPECT_EQ(problem.trainer.steps_done(), 100) << name;
  }
}

TEST(LowRank, SumsBiasesAndSmallLayersExactly) {
  for (auto const& [name, method, settings] : lossy_cases) {
    SmallProblem problem(test_comm(), with(method, settings));
    auto const pooled = doubles(problem.pooled_gradient(0, 0)), found = doubles(problem.exchanged_gradient(0, 0));
    std::size_t begin = 0;
    for (std::size_t l = 0; l < 3; ++l) {
      auto const& shape = problem.model.shapes()[l];
      bool const exact = !worth_compressing(settings, shape) || settings.start_step > 0;
      if (exact) {
        EXPECT_LT(distance(weights_of(problem, found, l), weights_of(problem, pooled, l)), exact_tolerance) << name;
      }
      for (std::size_t i = begin + shape.in * shape.out; i < begin + shape.size(); ++i)
        EXPECT_NEAR(found[i], pooled[i], exact_tolerance * norm(pooled)) << name;
      begin += shape.size();
    }
  }
}

TEST(Delayed, IsExactUntilItStarts) {
  SmallProblem problem(test_comm(), with("powersgd", {.width = 1, .min_compression = always, .start_step = 2}));
  for (std::size_t step = 0; step < 4; ++step) {
    auto const pooled = doubles(problem.pooled_gradient(0, step));
    double const error = distance(doubles(problem.exchanged_gradient(0, step)), pooled);
    if (step < 2)
      EXPECT_LT(error, exact_tolerance) << step;
    else
      EXPECT_GT(error, 0.01) << step;
  }
}

TEST(RankDad, KeepsItsBudgetWithTheLeastWidth) {
  for (std::string const solver : {"gram", "qr"}) {
    SmallProblem problem(test_comm(),
                         with("rank_dad", {.width = 9, .epsilon = 0.4, .solver = solver, .min_compression = always}));
    problem.exchanged_gradient(0, 0);
    auto const fidelity = problem.exchange->fidelity();
    for (std::size_t l = 0; l < 3; ++l) {
      Dense const g(problem.own_rows(0, 0).factors(l));
      auto const width = static_cast<std::size_t>(fidelity[l].width);
      EXPECT_NEAR((g - g.truncated(width)).norm() / g.norm(), fidelity[l].error, exact_tolerance);
      EXPECT_LE(fidelity[l].error, 0.4);
      ASSERT_GT(width, 0u);
      EXPECT_GT((g - g.truncated(width - 1)).norm() / g.norm(), 0.4);
    }
  }
}

TEST(Power, CertifiesAnErrorThatIsNeverTooSmall) {
  for (auto const& [epsilon, sweeps] : {std::pair<double, std::int64_t>{0.7, 1}, {0.4, 1}, {0.4, 3}, {0.1, 1}}) {
    SmallProblem problem(
        test_comm(), with("power_dad", {.width = 12, .epsilon = epsilon, .sweeps = sweeps, .min_compression = always}));
    for (std::size_t step = 0; step < 4; ++step) {
      auto const pooled = doubles(problem.pooled_gradient(0, step));
      auto const found = doubles(problem.exchanged_gradient(0, step));
      for (std::size_t l = 0; l < 3; ++l) {
        auto const g = dense_weights(problem, pooled, l);
        double const error = (g - dense_weights(problem, found, l)).norm() / g.norm();
        auto const claimed = problem.exchange->fidelity()[l];
        EXPECT_LE(error, claimed.error + 30 * std::sqrt(eps)) << epsilon << " layer " << l;
        auto const& shape = problem.model.shapes()[l];
        bool const at_cap = claimed.width == static_cast<double>(std::min(shape.in, shape.out));
        EXPECT_TRUE(claimed.error <= epsilon || at_cap)
            << claimed.error << " with " << claimed.width << ", layer " << l;
        if (problem.comm.size() == 1) {
          EXPECT_NEAR(error, claimed.error, 30 * std::sqrt(eps));
          EXPECT_LE(claimed.error, epsilon);
        }
      }
    }
    if (epsilon == 0.7) {
      EXPECT_LT(problem.exchange->fidelity()[0].width, 9);  // it does not simply take all
    }
  }
}

/// Bytes that this rank sends for the exchange at `step`.
double bytes_of(SmallProblem& problem, std::size_t step) {
  double const before = exchanged_bytes(problem.comm.traffic());
  problem.exchanged_gradient(0, step);
  return exchanged_bytes(problem.comm.traffic()) - before;
}

TEST(LowRank, SendsWhatItsFormulaSays) {
  for (auto const& [name, method, settings] : lossy_cases) {
    if (settings.start_step > 0) continue;
    SmallProblem problem(test_comm(), with(method, settings));
    double const s = problem.comm.size(), w = sizeof(Real);
    double const found = bytes_of(problem, 0);
    double rows = 0, exact = 0, factors = 0;  // scalars
    auto const fidelity = problem.exchange->fidelity();
    for (std::size_t l = 0; l < 3; ++l) {
      auto const& shape = problem.model.shapes()[l];
      auto const sides = static_cast<double>(shape.in + shape.out);
      exact += static_cast<double>(shape.out);
      if (!worth_compressing(settings, shape)) {
        exact += static_cast<double>(shape.in * shape.out);
        continue;
      }
      auto const cap =
          static_cast<double>(std::min<std::size_t>({static_cast<std::size_t>(settings.width), shape.in, shape.out}));
      rows += (settings.epsilon > 0 ? fidelity[l].width : static_cast<double>(settings.width)) * sides;
      factors += (settings.epsilon > 0 ? fidelity[l].width : cap * static_cast<double>(settings.sweeps)) * sides;
    }
    double const ring = 2 * (s - 1) / s * w;
    double expected = 0;
    if (method == "rank_dad") {
      expected = ring * exact;
      if (settings.pattern == "oneway")
        expected += (s - 1) * w * rows;
      else
        expected += problem.rank == 0 ? (s - 1) * w * rows : w * rows;
      if (settings.epsilon > 0) expected += (s - 1) * 4 * 3;
    } else {
      expected = ring * (exact + factors);
    }
    if (method == "power_dad" && settings.epsilon > 0) {  // and a scalar a layer in each round
      if (settings.sweeps > 1) continue;                  // columns that were iterated on the way are not in the widths
      EXPECT_GE(found, expected + ring * 3 - 1e-6);
      EXPECT_LE(found, expected + ring * 3 * 20);
      continue;
    }
    EXPECT_NEAR(found, expected, 1e-9 * expected) << name;  // sums of doubles
    double sum[1] = {found};
    problem.comm.sum(std::span<double>(sum));
    auto const forecasts = forecast_exchanges(problem.options.exchange, problem.model.shapes(), problem.comm.size(),
                                              problem.options.batch);
    for (auto const& forecast : forecasts)
      if (forecast.method == method && settings.epsilon == 0) {
        EXPECT_NEAR(sum[0] / s, forecast.bytes_per_step, 1e-9 * expected) << name;
      }
  }
}

LayerShape linear(std::size_t in, std::size_t out) {
  return dense_chain({{in, out, Activation::identity}}).shapes().front();
}

// Vogels et al. 2019, table 3: ResNet-18 on CIFAR-10 at ranks 1, 2 and 4 (printed as 243, 136 and 72).
TEST(PowerSgd, CompressesResNet18AsPublished) {
  std::vector<LayerShape> shapes{linear(27, 64)};
  std::size_t in = 64;
  for (std::size_t const out : {64, 128, 256, 512})
    for (int block = 0; block < 2; ++block) {
      shapes.push_back(linear(9 * in, out));
      shapes.push_back(linear(9 * out, out));
      if (in != out) shapes.push_back(linear(in, out));
      in = out;
    }
  shapes.push_back(linear(512, 10));
  // A layer here has one vector of `out` beside its matrix; a convolution's BatchNorm has two.
  double const second_vectors = static_cast<double>(parameter_count(shapes)) - 11164352 - 10;
  double const parameters = static_cast<double>(parameter_count(shapes)) + second_vectors;
  EXPECT_EQ(parameters, 11173962);
  for (auto const& [width, ratio] : {std::pair<std::int64_t, double>{1, 243.26}, {2, 135.84}, {4, 72.13}}) {
    double const sent =
        Power::forecast("powersgd", shapes, 2, 128, {.width = width}).bytes_per_step / sizeof(Real) + second_vectors;
    EXPECT_NEAR(parameters / sent, ratio, 0.005);
  }
}

TEST(Exchange, NamesTheRankAndLayerOfANan) {
  int const guilty = test_comm().size() - 1;
  auto cases = lossy_cases;
  cases.push_back({"dad", "dad", {}});
  cases.push_back({"edad", "edad", {}});
  for (auto const& [name, method, settings] : cases) {
    if (settings.start_step > 0 || settings.solver == "author") continue;
    for (bool const in_delta : {true, false}) {
      if (!in_delta && method == "edad") continue;  // its inputs have left by then
      SmallProblem problem(test_comm(), with(method, settings));
      auto const poison = [&](Tape const& tape) {
        auto const where = Kokkos::subview(in_delta ? tape.stats[2].delta : tape.stats[1].input, 0, 3);
        if (problem.comm.rank() == guilty) Kokkos::deep_copy(where, std::numeric_limits<Real>::quiet_NaN());
      };
      expect_error(ExitCode::not_finite,
                   {fmt::format("rank {}, layer {}: the {} are not finite", guilty, in_delta ? 2 : 1,
                                in_delta ? "deltas" : "inputs")},
                   [&] { problem.exchange_poisoned(0, 0, poison); });
    }
  }
}

TEST(Trainer, NamesTheStepOfANan) {
  // The whole network runs away: a rate beyond any reason.
  for (std::string const method : {"rank_dad", "power_dad", "powersgd", "dad", "edad"}) {
    auto options = with(method, {.width = 2, .min_compression = always});
    options.shapes = {{12, 9, Activation::relu}, {9, 7, Activation::relu}, {7, 4, Activation::identity}};
    options.schedule.rate = 1e-8 * static_cast<double>(std::numeric_limits<Real>::max());
    SmallProblem problem(test_comm(), options);
    expect_error(ExitCode::not_finite, {"step ", "rank 0, layer ", "not finite"}, [&] { problem.trainer.run({}); });
  }
}

}  // namespace minidad
