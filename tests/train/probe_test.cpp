// SPDX-License-Identifier: BSD-3-Clause
#include "train/probe.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <limits>
#include <numbers>

#include "core/digest.hpp"
#include "support/dense.hpp"
#include "support/small_problem.hpp"
#include "support/test_comm.hpp"

namespace minidad {

constexpr auto n_measures = measure_names.size();

/// Statistics come through sums of at most so many terms, in another order on another number of ranks; squares of
/// doubles are right to half their digits.
double const rounding = std::max(200.0 * std::numeric_limits<Real>::epsilon(), 1e-7);

double measure_of(std::vector<double> const& measures, std::size_t row, Measure measure) {
  return measures[row * n_measures + static_cast<std::size_t>(measure)];
}

/// Compares row `at` of a record with the dense matrix of which it should tell.
void expect_matrix(std::vector<double> const& spectrum, std::vector<double> const& measures, std::size_t at,
                   Factors const& g, std::size_t rows, std::size_t width, std::string const& what) {
  auto const values = dense_svd(dense_product(g), g.input.extent(1), g.delta.extent(1)).values;
  double const scale = dense_svd(g.input).values[0] * dense_svd(g.delta).values[0];
  double sum = 0, entropy = 0, kept = 0;
  for (std::size_t j = 0; j < probed_values; ++j)
    EXPECT_NEAR(spectrum[at * probed_values + j], j < values.size() ? values[j] : 0, rounding * scale) << what;
  for (double const value : values) sum += value * value;
  for (std::size_t j = 0; j < std::min(width, values.size()); ++j) kept += values[j] * values[j];
  for (double const value : values)
    if (value > 1e-6 * scale) entropy -= value * value / sum * std::log(value * value / sum);
  EXPECT_EQ(measure_of(measures, at, Measure::rows), static_cast<double>(rows)) << what;
  EXPECT_NEAR(measure_of(measures, at, Measure::norm), std::sqrt(sum), rounding * scale) << what;
  bool const none = sum == 0;
  EXPECT_NEAR(measure_of(measures, at, Measure::stable_rank), none ? 0 : sum / (values[0] * values[0]), 1e-3) << what;
  EXPECT_NEAR(measure_of(measures, at, Measure::entropy_rank), none ? 0 : std::exp(entropy), 1e-3) << what;
  EXPECT_NEAR(measure_of(measures, at, Measure::energy), none ? 1 : kept / sum, 1e-4) << what;
  double const error = measure_of(measures, at, Measure::error);
  EXPECT_NEAR(error * error, none ? 0 : 1 - kept / sum, 1e-4) << what;
  for (auto const& [eps, measure] : {std::pair{0.5, Measure::rank_0_5}, {0.1, Measure::rank_0_1}}) {
    double missing = sum;
    std::size_t r = 0;
    while (!none && missing > eps * eps * sum) missing -= values[r] * values[r], ++r;
    EXPECT_EQ(measure_of(measures, at, measure), static_cast<double>(r)) << what << ", error " << eps;
  }
}

/// At a learning rate of zero all steps see the same network.
SmallProblem::Options still(ProbeSettings const& probe, std::string const& method = "dad") {
  return {.exchange = {.method = method}, .schedule = {.rate = 0}, .probe = probe};
}

TEST(Probe, TellsOfTheGradientsOfAllRanksAndOfItsOwn) {
  for (auto const* method : {"dsgd", "dad", "edad"}) {  // edad leaves no hidden deltas of its own rows on the tape
    auto options = still({.every = 1, .width = 2}, method);
    options.samples = 2 * options.batch + 1;  // two full batches, and one row
    SmallProblem problem(test_comm(), options);
    for (std::size_t const step : {0, 2}) {
      problem.trainer.step(0, step);
      auto const& record = problem.probe->record();
      EXPECT_EQ(record.step, problem.trainer.steps_done());
      auto const all = problem.rows_of_all_ranks(0, step);
      auto const& ranks = problem.plan.ranks_at(step);
      auto const begin = ranks.offset[problem.rank], end = ranks.offset[problem.rank + 1];
      for (std::size_t l = 0; l < 3; ++l) {
        auto const what = fmt::format("{}, step {}, layer {}", method, step, l);
        auto const g = all.factors(l);
        expect_matrix(record.global.gradient_spectrum, record.global.measures, l, g, ranks.rows(), 2, what);
        EXPECT_NEAR(record.global.input_spectrum[l * probed_values], dense_svd(g.input).values[0], 1e-4) << what;
        EXPECT_NEAR(record.global.delta_spectrum[l * probed_values], dense_svd(g.delta).values[0], 1e-4) << what;
        EXPECT_LT(record.applied_error[l], rounding) << what;
        Factors const own{matrix_from(host_copy(rows_of(g.input, begin, end)), end - begin, g.input.extent(1)),
                          matrix_from(host_copy(rows_of(g.delta, begin, end)), end - begin, g.delta.extent(1))};
        if (end > begin) {
          expect_matrix(record.local.gradient_spectrum, record.local.measures, l, own, end - begin, 2, what + ", own");
          continue;
        }
        for (std::size_t j = 0; j < probed_values; ++j)
          EXPECT_EQ(record.local.gradient_spectrum[l * probed_values + j], 0);
        for (std::size_t m = 0; m < n_measures; ++m)
          EXPECT_EQ(record.local.measures[l * n_measures + m], m == static_cast<std::size_t>(Measure::energy) ? 1 : 0)
              << measure_names[m];
      }
    }
  }
}

TEST(Probe, FindsThatTheLastLayerLacksARank) {  // rows of p - y sum to zero
  SmallProblem problem(test_comm(), still({.every = 1}));
  problem.trainer.step(0, 0);
  auto const& record = problem.probe->record();
  EXPECT_EQ(measure_of(record.global.measures, 2, Measure::rank_0_01), 3);  // of 4 classes
  EXPECT_LE(measure_of(record.local.measures, 2, Measure::rank_0_01), 3);
  auto const* values = record.global.gradient_spectrum.data() + 2 * probed_values;
  EXPECT_GT(values[2], 1e-3 * values[0]);
  EXPECT_LT(values[3], rounding * values[0]);
}

TEST(Probe, TellsClassesApart) {
  SmallProblem problem(test_comm(), still({.every = 1, .width = 1, .per_class = true}));
  for (std::size_t const step : {std::size_t{0}, problem.plan.steps_per_epoch() - 1}) {
    problem.trainer.step(0, step);
    auto const& record = problem.probe->record();
    auto const all = problem.rows_of_all_ranks(0, step);
    auto const rows = all.tape.blocks.rows();
    auto const label = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), all.label);
    for (std::size_t l = 0; l < 3; ++l)
      for (int c = 0; c < 4; ++c) {
        auto const out = all.tape.stats[l].delta.extent(1);
        auto masked = host_copy(all.tape.stats[l].delta);
        std::size_t members = 0;
        for (std::size_t row = 0; row < rows; ++row)
          if (label(row) == c)
            ++members;
          else
            std::fill_n(masked.begin() + static_cast<std::ptrdiff_t>(row * out), out, Real(0));
        expect_matrix(record.class_spectrum, record.class_measures, 4 * l + static_cast<std::size_t>(c),
                      {all.tape.stats[l].input, matrix_from(masked, rows, out)}, members, 1,
                      fmt::format("step {}, layer {}, class {}", step, l, c));
      }
  }
}

TEST(Probe, MeasuresHowFarDirectionsTurn) {
  SmallProblem problem(test_comm(), still({.every = 1, .width = 2}));
  auto const& record = problem.probe->record();
  problem.trainer.step(0, 0);
  for (std::size_t l = 0; l < 3; ++l)
    EXPECT_TRUE(std::isnan(record.global.angle[l]) && std::isnan(record.local.angle[l]));
  problem.trainer.step(0, 0);
  for (std::size_t l = 0; l < 3; ++l) {
    EXPECT_LT(record.global.angle[l], 1e-4);
    EXPECT_LT(record.local.angle[l], 1e-4);
  }
  problem.trainer.step(0, 1);
  for (std::size_t l = 0; l < 3; ++l) {
    std::vector<double> right[2], overlap(4);
    auto const out = problem.model.shapes()[l].out;
    for (std::size_t step = 0; step < 2; ++step)
      right[step] =
          dense_svd(dense_product(problem.rows_of_all_ranks(0, step).factors(l)), problem.model.shapes()[l].in, out)
              .right;
    multiply_small(Op::none, Op::transpose, 2, 2, out, right[0].data(), right[1].data(), overlap.data());
    double const expected = std::acos(dense_svd(overlap, 2, 2).values[1]);
    EXPECT_NEAR(record.global.angle[l], expected, 1e-3);
    EXPECT_GT(expected, 0.01);
  }
}

TEST(Probe, KeepsSpacesOfDifferentDimensionsApart) {
  auto options = still({.every = 1, .width = 2});
  options.samples = 2 * options.batch + 1;
  SmallProblem problem(test_comm(), options);
  for (std::size_t const step : {0, 2}) problem.trainer.step(0, step);  // the last batch is one row: rank 1
  for (std::size_t l = 0; l < 3; ++l) EXPECT_EQ(problem.probe->record().global.angle[l], std::numbers::pi / 2);
  problem.trainer.step(0, 2);
  for (std::size_t l = 0; l < 3; ++l) {
    EXPECT_LT(problem.probe->record().global.angle[l], 1e-4);
    EXPECT_LT(problem.probe->record().local.angle[l], 1e-4);  // with no rows at all, too
  }
}

TEST(Probe, MeasuresWhatTheExchangeLeft) {
  SmallProblem problem(test_comm(), still({.every = 1}));
  auto const own = problem.own_rows(0, 0);
  problem.exchanged_gradient(0, 0);
  auto const& gradient = problem.gradient.layer;
  Kokkos::deep_copy(gradient[1].weight(), Real(0));
  auto const entry = Kokkos::subview(gradient[2].weight(), 3, 1);
  Real value = 0;
  Kokkos::deep_copy(value, entry);
  Kokkos::deep_copy(entry, static_cast<Real>(value + 0.01));
  problem.probe->measure(problem.pass(own.tape, 0, 0), 1, problem.plan.ranks_at(0), own.tape, own.label,
                         *problem.exchange);
  auto const& record = problem.probe->record();
  EXPECT_LT(record.applied_error[0], rounding);
  EXPECT_NEAR(record.applied_error[1], 1, rounding);
  EXPECT_NEAR(record.applied_error[2] * measure_of(record.global.measures, 2, Measure::norm), 0.01, 1e-6);
}

TEST(Probe, OfADeadNetworkFindsZeros) {
  SmallProblem problem(test_comm(), still({.every = 1, .per_class = true}));
  auto const own = problem.own_rows(0, 0);
  for (auto const& stats : own.tape.stats) Kokkos::deep_copy(stats.delta, Real(0));
  Kokkos::deep_copy(problem.gradient.flat, Real(0));
  for (std::int64_t step = 1; step <= 2; ++step)
    problem.probe->measure(problem.pass(own.tape, 0, 0), step, problem.plan.ranks_at(0), own.tape, own.label,
                           *problem.exchange);
  auto const& record = problem.probe->record();
  for (std::size_t l = 0; l < 3; ++l) {
    EXPECT_EQ(record.global.angle[l], 0);
    EXPECT_EQ(record.applied_error[l], 0);
    for (auto const measure : {Measure::norm, Measure::rank_0_01, Measure::stable_rank, Measure::entropy_rank})
      EXPECT_EQ(measure_of(record.global.measures, l, measure), 0);
  }
  for (auto const* values : {&record.global.gradient_spectrum, &record.class_spectrum, &record.local.delta_spectrum})
    for (double const value : *values) EXPECT_EQ(value, 0);
  for (double const value : record.class_measures) EXPECT_FALSE(std::isnan(value));
}

TEST(Probe, OfADivergedNetworkFindsNaN) {
  SmallProblem problem(test_comm(), still({.every = 1, .per_class = true}));
  auto const own = problem.own_rows(0, 0);
  for (auto const& stats : own.tape.stats)
    if (stats.rows() > 0) Kokkos::deep_copy(stats.delta, std::numeric_limits<Real>::quiet_NaN());
  problem.probe->measure(problem.pass(own.tape, 0, 0), 1, problem.plan.ranks_at(0), own.tape, own.label,
                         *problem.exchange);
  auto const& record = problem.probe->record();
  for (std::size_t l = 0; l < 3; ++l) {
    EXPECT_TRUE(std::isnan(measure_of(record.global.measures, l, Measure::norm)));
    EXPECT_TRUE(std::isnan(measure_of(record.global.measures, l, Measure::rank_0_1)));
    EXPECT_TRUE(std::isnan(record.applied_error[l]));
    EXPECT_EQ(measure_of(record.global.measures, l, Measure::rows), 14);
  }
}

TEST(Probe, DoesNotChangeTraining) {
  for (auto const* method : {"dsgd", "dad", "edad"}) {
    SmallProblem plain(test_comm(), {.exchange = {.method = method}});
    double before = exchanged_bytes(plain.comm.traffic());
    auto const expected = plain.trainer.run({});
    double const sent = exchanged_bytes(plain.comm.traffic()) - before;
    SmallProblem probed(test_comm(), {.exchange = {.method = method}, .probe = {.every = 1, .per_class = true}});
    before = exchanged_bytes(probed.comm.traffic());
    auto const found = probed.trainer.run({});
    EXPECT_EQ(found.parameter_digest, expected.parameter_digest) << method;
    EXPECT_NEAR(exchanged_bytes(probed.comm.traffic()) - before, sent, 1e-9 * sent) << method;
    EXPECT_EQ(found.bytes_per_step, expected.bytes_per_step) << method;
  }
}

TEST(Probe, IsDueAtTheFirstStepAndEverySoOften) {
  SmallProblem problem(test_comm(), {.training = {.epochs = 3, .seed = 3}, .probe = {.every = 5}});  // 12 steps
  std::vector<std::int64_t> steps;
  double seconds = 0;
  problem.trainer.run(
      {.step = [&](StepRecord const& r) { seconds += r.seconds[static_cast<std::size_t>(Phase::probe)]; },
       .probe = [&](ProbeRecord const& r) { steps.push_back(r.step); }});
  EXPECT_EQ(steps, (std::vector<std::int64_t>{1, 6, 11}));
  EXPECT_GT(seconds, 0);
}

// Rows go to the owner of a layer and nowhere else: A and D of the layers of others.
TEST(Probe, SendsRowsToOwnersOnly) {
  SmallProblem problem(test_comm(), still({.every = 1}));
  auto const& entry = problem.comm.traffic().entry("probe", "gatherv");
  double const before = entry.sent;
  problem.trainer.step(0, 0);
  std::size_t width = 0;
  for (std::size_t l = 0; l < 3; ++l)
    if (l % static_cast<std::size_t>(problem.comm.size()) != problem.rank)
      width += problem.model.shapes()[l].in + problem.model.shapes()[l].out;
  EXPECT_EQ(entry.sent - before,
            static_cast<double>(problem.plan.ranks_at(0).rows_of(problem.rank) * width * sizeof(Real)));
}

}  // namespace minidad
