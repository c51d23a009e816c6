// SPDX-License-Identifier: BSD-3-Clause
#include "compress/row_reducer.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "compress/spectrum.hpp"
#include "core/error.hpp"
#include "support/dense.hpp"

namespace minidad {

constexpr double eps = std::numeric_limits<Real>::epsilon();

/// What `solver` makes of `rows`.
struct Reduced {
  Reduced(ReducerSettings const& settings, Factors const& rows, std::size_t few)
      : result(empty_factors(few, rows.input.extent(1), rows.delta.extent(1))),
        solver(make_row_reducer(settings,
                                {.in = rows.input.extent(1),
                                 .out = rows.delta.extent(1),
                                 .max_rows = std::max<std::size_t>(1, rows.rows()),
                                 .few = few},
                                11)) {
    again(rows);
  }
  void again(Factors const& rows) { solver->reduce(space, rows, result); }
  double error(Dense const& g) const { return (g - Dense(result)).norm() / g.norm(); }

  ExecSpace space;
  Factors result;
  std::unique_ptr<RowReducer> solver;
};

struct Shape {
  std::size_t rows, in, out;
};

// More rows than columns on either side or both, fewer, one, none.
std::vector<Shape> const shapes{{5, 12, 9}, {20, 12, 9}, {8, 4, 30}, {8, 30, 4}, {1, 12, 9}, {9, 9, 9}};

class ExactSolver : public testing::TestWithParam<char const*> {};
INSTANTIATE_TEST_SUITE_P(Solvers, ExactSolver, testing::Values("gram", "qr"),
                         [](auto const& info) { return std::string(info.param); });

// Each element of a product of these sizes takes some tens of roundings, relative to the norm.
constexpr double exact_tolerance = 200 * eps;

TEST_P(ExactSolver, FindsTheSingularValuesAndTheBestProduct) {
  for (auto const& [rows, in, out] : shapes) {
    auto const g = random_factors(rows, in, out, 3);
    Dense const dense(g);
    auto const expected = dense.singular_values();
    for (std::size_t const few : {1u, 3u, 7u}) {
      Reduced const found({.solver = GetParam()}, g, few);
      auto const values = found.solver->values();
      for (std::size_t j = 0; j < std::min(values.size(), expected.size()); ++j)
        EXPECT_NEAR(values[j], expected[j], exact_tolerance * expected[0]) << rows << " " << in << " " << out;
      EXPECT_LT((Dense(found.result) - dense.truncated(few)).norm(), exact_tolerance * dense.norm())
          << rows << " rows, " << in << " x " << out << ", few " << few;
      EXPECT_NEAR(found.solver->norm_squared(found.space), dense.norm() * dense.norm(),
                  exact_tolerance * dense.norm() * dense.norm());
    }
  }
}

TEST_P(ExactSolver, OrdersItsRowsAndKeepsTheInputsOrthonormal) {
  Reduced const found({.solver = GetParam()}, random_factors(12, 30, 20, 5, true), 4);
  auto const input = host_copy(found.result.input), delta = host_copy(found.result.delta);
  for (std::size_t a = 0; a < 4; ++a) {
    double length = 0;
    for (std::size_t j = 0; j < 20; ++j) length += std::pow(static_cast<double>(delta[a * 20 + j]), 2);
    EXPECT_NEAR(std::sqrt(length), found.solver->values()[a], exact_tolerance * found.solver->values()[0]);
    for (std::size_t b = 0; b < 4; ++b) {
      double inner = 0;
      for (std::size_t i = 0; i < 30; ++i)
        inner += static_cast<double>(input[a * 30 + i]) * static_cast<double>(input[b * 30 + i]);
      EXPECT_NEAR(inner, a == b ? 1 : 0, exact_tolerance);
    }
  }
}

/// The same rows twice, so that half of them say nothing new.
Factors repeated(Factors const& g) {
  auto a = host_copy(g.input), d = host_copy(g.delta);
  std::vector<double> input(a.begin(), a.end()), delta(d.begin(), d.end());
  input.insert(input.end(), a.begin(), a.end());
  delta.insert(delta.end(), d.begin(), d.end());
  return {device_matrix(2 * g.rows(), g.input.extent(1), input), device_matrix(2 * g.rows(), g.delta.extent(1), delta)};
}

class EverySolver : public testing::TestWithParam<char const*> {
 protected:
  /// Many sweeps: the limit of those that iterate.
  ReducerSettings settings() const { return {.solver = GetParam(), .sweeps = 60, .drop_last = false}; }
};
INSTANTIATE_TEST_SUITE_P(Solvers, EverySolver, testing::Values("gram", "qr", "block", "author"),
                         [](auto const& info) { return std::string(info.param); });

TEST_P(EverySolver, IsExactForRankOne) {
  auto const g = random_factors(1, 14, 10, 9);
  EXPECT_LT(Reduced(settings(), g, 1).error(Dense(g)), exact_tolerance);
  EXPECT_LT(Reduced(settings(), repeated(g), 1).error(Dense(repeated(g))), exact_tolerance);
}

TEST_P(EverySolver, MakesZerosOfZerosAndOfNothing) {
  Factors const zero{Matrix("minidad::test::input", 6, 14), random_factors(6, 14, 10, 1).delta};
  EXPECT_EQ(Dense(Reduced(settings(), zero, 3).result).norm(), 0);
  Factors const deltas{random_factors(6, 14, 10, 1).input, Matrix("minidad::test::delta", 6, 10)};
  EXPECT_EQ(Dense(Reduced(settings(), deltas, 3).result).norm(), 0);
  auto const nothing = first_rows(zero, 0);
  EXPECT_EQ(Dense(Reduced(settings(), nothing, 3).result).norm(), 0);
}

class GoodSolver : public EverySolver {};
INSTANTIATE_TEST_SUITE_P(Solvers, GoodSolver, testing::Values("gram", "qr", "block"),
                         [](auto const& info) { return std::string(info.param); });

TEST_P(GoodSolver, IsExactWhenThereAreMoreRowsThanTheRankNeeds) {
  auto const g = repeated(random_factors(3, 14, 10, 4));
  for (std::size_t const few : {3u, 5u, 12u}) {  // the rank, more, and more than the layer has
    Reduced const found({.solver = GetParam()}, g, few);
    EXPECT_LT(found.error(Dense(g)), exact_tolerance) << few;
    for (std::size_t j = 3; j < found.solver->values().size(); ++j)
      EXPECT_LT(found.solver->values()[j], std::sqrt(eps) * found.solver->values()[0]);
  }
}

TEST_P(GoodSolver, RecoversAfterZeros) {  // a warm start from nothing must not stay there
  auto const g = random_factors(3, 14, 10, 4);
  Factors const zero = empty_factors(3, 14, 10);
  Reduced found({.solver = GetParam()}, zero, 3);
  found.again(g);
  EXPECT_LT(found.error(Dense(g)), exact_tolerance);
}

TEST_P(GoodSolver, PassesANanOn) {
  auto g = random_factors(6, 14, 10, 4);
  auto poisoned = host_copy(g.delta);
  poisoned[17] = std::numeric_limits<Real>::quiet_NaN();
  Factors const bad{g.input, device_matrix(6, 10, {poisoned.begin(), poisoned.end()})};
  Reduced found({.solver = GetParam()}, bad, 3);
  EXPECT_TRUE(std::isnan(Dense(found.result).norm()));
  found.again(first_rows(g, 3));  // and forgets it
  EXPECT_LT(found.error(Dense(first_rows(g, 3))), exact_tolerance);
}

TEST_P(GoodSolver, KeepsAnErrorBudgetExactly) {
  auto const g = random_factors(16, 40, 30, 8, true);
  Dense const dense(g);
  for (double const epsilon : {0.8, 0.6, 0.3, 0.1, 0.0}) {
    Reduced const found({.solver = GetParam(), .sweeps = 40}, g, 16);
    auto const width = effective_rank(found.solver->values(), found.solver->norm_squared(found.space), epsilon);
    if (epsilon > 0) {
      EXPECT_LE((dense - dense.truncated(width)).norm(), epsilon * dense.norm());
      EXPECT_GT(width, 0u);
      EXPECT_GT((dense - dense.truncated(width - 1)).norm(), epsilon * dense.norm());
    }
    // What is certified is what is delivered.
    auto const delivered = first_rows(found.result, std::min<std::size_t>(width, 16));
    auto const certified = truncation_error(found.solver->values(), found.solver->norm_squared(found.space), width);
    EXPECT_NEAR((dense - Dense(delivered)).norm() / dense.norm(), certified,
                epsilon > 0 ? 1e3 * eps : 30 * std::sqrt(eps));
  }
}

TEST(BlockSolver, ProjectsAndTendsToTheOptimum) {
  auto const g = random_factors(24, 60, 50, 6, true);
  Dense const dense(g);
  double const best = (dense - dense.truncated(4)).norm() / dense.norm();
  double last = 1;
  for (std::int64_t const sweeps : {1, 2, 5, 60}) {
    Reduced const found({.solver = "block", .sweeps = sweeps, .oversampling = 0}, g, 4);
    Dense const result(found.result);
    double const error = (dense - result).norm() / dense.norm();
    EXPECT_LE(result.norm(), dense.norm() * (1 + 100 * eps));
    EXPECT_GE(error, best * (1 - 100 * eps));
    EXPECT_LT(error, last) << sweeps;
    // A projection: what is missing is perpendicular to what is there.
    EXPECT_NEAR(error * error, 1 - std::pow(result.norm() / dense.norm(), 2), 1e3 * eps);
    last = error;
  }
  EXPECT_NEAR(last, best, 1e-3 * best);
}

TEST(BlockSolver, FollowsASlowGradientByItsWarmStart) {
  auto const g = random_factors(24, 60, 50, 6, true);
  Dense const dense(g);
  double const best = (dense - dense.truncated(4)).norm() / dense.norm();
  Reduced warm({.solver = "block", .oversampling = 0}, g, 4),
      cold({.solver = "block", .oversampling = 0, .warm_start = false}, g, 4);
  double cold_error = 0;
  for (int step = 0; step < 30; ++step) {
    warm.again(g);
    cold.again(g);
    cold_error += cold.error(dense) / 30;
  }
  EXPECT_LT(warm.error(dense), best * 1.001);
  EXPECT_GT(cold_error, best * 1.02);
}

TEST(BlockSolver, GainsFromOversampling) {
  auto const g = random_factors(24, 60, 50, 6, true);
  Dense const dense(g);
  double plain = 0, over = 0;
  Reduced a({.solver = "block", .oversampling = 0, .warm_start = false}, g, 4),
      b({.solver = "block", .oversampling = 8, .warm_start = false}, g, 4);
  for (int trial = 0; trial < 20; ++trial) {
    a.again(g);
    b.again(g);
    plain += a.error(dense);
    over += b.error(dense);
  }
  EXPECT_LT(over, 0.97 * plain);
}

// What the published algorithm does and does not do, see author_reducer.hpp.
TEST(AuthorSolver, IsFarFromTheOptimumAfterOneIterationAndLongerThanTheGradient) {
  auto const g = random_factors(32, 196, 128, 2, true);
  Dense const dense(g);
  double const best = (dense - dense.truncated(8)).norm() / dense.norm();
  double error = 0;
  Reduced found({.solver = "author", .sweeps = 1, .drop_last = false}, g, 8);
  for (int trial = 0; trial < 10; ++trial) {
    found.again(g);
    error += found.error(dense) / 10;
  }
  EXPECT_GT(error, 1.5);  // zeros would be at 1: it is worse than nothing (the study found 2.99 at 784 x 512)
  EXPECT_GT(error, 2 * best);
  EXPECT_LT(best, 0.8);
}

/// Orthogonal rows of lengths 1, 1/2, 1/4, ...: a spectrum with gaps.
Factors with_gaps(std::size_t rank, std::size_t in, std::size_t out) {
  std::vector<double> a(rank * in), d(rank * out);
  for (std::size_t j = 0; j < rank; ++j) {
    a[j * in + j] = std::pow(0.5, j);
    d[j * out + rank - 1 - j] = 1;
  }
  return {device_matrix(rank, in, a), device_matrix(rank, out, d)};
}

TEST(AuthorSolver, ReachesTheOptimumAfterManyIterationsWhereTheSpectrumHasGaps) {
  auto const g = with_gaps(6, 14, 10);
  Dense const dense(g);
  Reduced const found({.solver = "author", .sweeps = 50, .drop_last = false}, g, 3);
  EXPECT_LT((Dense(found.result) - dense.truncated(3)).norm(), 1e-5 * dense.norm());
}

TEST(AuthorSolver, LosesItsLastComponentAsPublished) {
  auto const g = with_gaps(6, 14, 10);
  Dense const dense(g);
  Reduced const found({.solver = "author", .sweeps = 50}, g, 3);
  EXPECT_LT((Dense(found.result) - dense.truncated(2)).norm(), 1e-5 * dense.norm());
  Reduced const one({.solver = "author", .sweeps = 50}, g, 1);
  EXPECT_EQ(Dense(one.result).norm(), 0);
}

TEST(Spectrum, MeasuresWhatItsFormulasSay) {
  std::vector<double> const values{4, 2, 2, 1, 0};
  double const all = sum_of_squares(values);
  EXPECT_EQ(all, 25);
  EXPECT_NEAR(truncation_error(values, all, 1), 0.6, 1e-15);  // sqrt(9 / 25)
  EXPECT_EQ(truncation_error(values, all, 9), 0);
  EXPECT_EQ(effective_rank(values, all, 0.61), 1u);
  EXPECT_EQ(effective_rank(values, all, 0.59), 2u);
  EXPECT_EQ(effective_rank(values, all, 1.0), 0u);
  EXPECT_EQ(effective_rank(std::span(values).first(2), all, 0.3), 3u);  // more than the two that are listed
  EXPECT_NEAR(stable_rank(values, all), 25.0 / 16, 1e-15);
  double entropy = 0;
  for (double const p : {16.0 / 25, 4.0 / 25, 4.0 / 25, 1.0 / 25}) entropy -= p * std::log(p);
  EXPECT_NEAR(entropy_rank(values), std::exp(entropy), 1e-12);
  std::vector<double> const flat(7, 3.0);
  EXPECT_NEAR(entropy_rank(flat), 7, 1e-12);
  std::vector<double> const none(3, 0.0);
  EXPECT_EQ(entropy_rank(none), 0);
  EXPECT_EQ(stable_rank(none, 0), 0);
  EXPECT_EQ(truncation_error(none, 0, 1), 0);
  EXPECT_EQ(effective_rank(none, 0, 0.1), 0u);
}

TEST(MakeRowReducer, RefusesAnUnknownSolver) {
  EXPECT_THROW(make_row_reducer({.solver = "oracle"}, {.in = 2, .out = 2, .max_rows = 2, .few = 1}, 1), Error);
}

}  // namespace minidad
