// SPDX-License-Identifier: BSD-3-Clause
#include "train/optimiser.hpp"

#include <gtest/gtest.h>

#include "support/host_copy.hpp"
#include "train/gradient_norm.hpp"

namespace minidad {

namespace {

constexpr double eps = std::numeric_limits<Real>::epsilon();
constexpr double rate = 0.05;
constexpr int steps = 5;

Vector vector_from(std::vector<Real> const& values) {
  Vector v("minidad::test::v", values.size());
  Kokkos::deep_copy(v, Kokkos::subview(matrix_from(values, 1, values.size()), 0, Kokkos::ALL));
  return v;
}

/// Five updates of one parameter with changing gradients, by the definitions in double.
double sgd(OptimiserSettings const& s, double x, auto const& gradient) {
  double v = 0;
  for (int step = 1; step <= steps; ++step) {
    double const g = gradient(step) + s.weight_decay * x;
    v = s.momentum * v + g;
    x -= rate * (s.nesterov ? g + s.momentum * v : v);
  }
  return x;
}
double adam(OptimiserSettings const& s, double x, auto const& gradient) {
  double m = 0, v = 0;
  for (int step = 1; step <= steps; ++step) {
    double const g = gradient(step) + (s.method == "adam" ? s.weight_decay * x : 0);
    m = s.beta1 * m + (1 - s.beta1) * g;
    v = s.beta2 * v + (1 - s.beta2) * g * g;
    double const mean = m / (1 - std::pow(s.beta1, step)), square = v / (1 - std::pow(s.beta2, step));
    if (s.method == "adamw") x -= rate * s.weight_decay * x;
    x -= rate * mean / (std::sqrt(square) + s.epsilon);
  }
  return x;
}

class EveryOptimiser : public testing::TestWithParam<OptimiserSettings> {};
INSTANTIATE_TEST_SUITE_P(Kinds, EveryOptimiser,
                         testing::Values(OptimiserSettings{.momentum = 0}, OptimiserSettings{.momentum = 0.9},
                                         OptimiserSettings{.momentum = 0.9, .nesterov = true},
                                         OptimiserSettings{.momentum = 0, .weight_decay = 0.1},
                                         OptimiserSettings{.momentum = 0.9, .nesterov = true, .weight_decay = 0.1},
                                         OptimiserSettings{.method = "adam"},
                                         OptimiserSettings{.method = "adam", .weight_decay = 0.1},
                                         OptimiserSettings{.method = "adam", .beta1 = 0, .beta2 = 0.5, .epsilon = 0.1},
                                         OptimiserSettings{.method = "adamw", .weight_decay = 0.1}));

}  // namespace

TEST_P(EveryOptimiser, FollowsItsDefinition) {
  constexpr std::size_t n = 37;
  auto const& settings = GetParam();
  Optimiser optimiser(settings, n);
  auto const x = vector_from(wavy(n));
  for (int step = 1; step <= steps; ++step)
    EXPECT_EQ(optimiser.update(ExecSpace(), rate, vector_from(wavy(n, step)), x), 0);
  auto const found = host_copy(x);
  for (std::size_t i = 0; i < n; ++i) {
    auto const gradient = [&](int step) { return static_cast<double>(wavy(n, step)[i]); };
    auto const start = static_cast<double>(wavy(n)[i]);
    double const expected = settings.method == "sgd" ? sgd(settings, start, gradient) : adam(settings, start, gradient);
    // x is of order 1 and moves by a quarter: five updates, each of up to twelve roundings.
    EXPECT_NEAR(found[i], expected, 12 * steps * eps) << i;
  }
}

TEST(Adam, FirstMovesEveryParameterByTheRate) {  // m^ = g and v^ = g², whatever g and the betas are
  constexpr double epsilon = 1e-30;              // far below a rounding of the smallest |g|
  std::vector<Real> const gradient{1, -1, Real(1e-6), Real(-1e6), Real(3.7e-3), Real(-0.31)};
  for (auto const* method : {"adam", "adamw"})
    for (double const beta : {0.0, 0.5, 0.99}) {
      Optimiser optimiser({.method = method, .beta1 = beta, .beta2 = beta, .epsilon = epsilon}, gradient.size());
      auto const x = vector_from(std::vector<Real>(gradient.size(), 0));
      optimiser.update(ExecSpace(), rate, vector_from(gradient), x);
      for (std::size_t i = 0; i < gradient.size(); ++i)
        EXPECT_NEAR(host_copy(x)[i], gradient[i] > 0 ? -rate : rate, 12 * eps * rate) << method << ' ' << gradient[i];
    }
}

TEST(Adam, LeavesAZeroGradientAlone) {
  Optimiser optimiser({.method = "adam"}, 3);
  auto const x = vector_from({1, -2, 3});
  EXPECT_EQ(optimiser.update(ExecSpace(), rate, vector_from({0, 0, 0}), x), 0);
  EXPECT_EQ(host_copy(x), (std::vector<Real>{1, -2, 3}));
}

TEST(AdamW, ShrinksParametersWhateverTheirGradientsAre) {
  Optimiser decoupled({.method = "adamw", .weight_decay = 0.5}, 2), coupled({.method = "adam", .weight_decay = 0.5}, 2);
  auto const x = vector_from({1, -8}), y = vector_from({1, -8});
  for (int step = 0; step < 2; ++step) {
    decoupled.update(ExecSpace(), rate, vector_from({0, 0}), x);
    coupled.update(ExecSpace(), rate, vector_from({0, 0}), y);
  }
  double const kept = std::pow(1 - rate * 0.5, 2);
  EXPECT_NEAR(host_copy(x)[0], kept, 4 * eps);
  EXPECT_NEAR(host_copy(x)[1], -8 * kept, 8 * 4 * eps);
  EXPECT_NEAR(host_copy(y)[1], -8 + 2 * rate, 1e-2 * rate);  // as any gradient moves it
}

TEST(GradientNorm, IsThatOfAllElements) {
  ExecSpace const space;
  for (std::size_t const n : {1, 15, 4096, 4097, 20000}) {
    auto const values = wavy(n);
    double sum = 0;
    for (auto const x : values) sum += static_cast<double>(x) * static_cast<double>(x);
    GradientNorm const norm(n, 0);
    norm.measure(space, vector_from(values));
    EXPECT_NEAR(norm.value(space), std::sqrt(sum), 1e-12 * std::sqrt(sum)) << n;  // sums are formed in double
    EXPECT_EQ(host_copy(norm.factor())[0], 1);
  }
}

TEST(GradientNorm, ShortensWhatIsTooLong) {
  ExecSpace const space;
  for (auto const& [longest, expected] : {std::pair{2.5, 0.5}, {5.0, 1.0}, {10.0, 1.0}, {1e-3, 2e-4}}) {
    GradientNorm const norm(2, longest);
    auto const gradient = vector_from({3, -4}), x = vector_from({1, 1});
    norm.measure(space, gradient);
    EXPECT_NEAR(host_copy(norm.factor())[0], expected, eps * expected);
    Optimiser optimiser({.momentum = 0}, 2);
    optimiser.update(space, rate, gradient, x, norm.factor());
    EXPECT_NEAR(host_copy(x)[0], 1 - rate * 3 * expected, 4 * eps);
    EXPECT_NEAR(host_copy(x)[1], 1 + rate * 4 * expected, 4 * eps);
  }
}

TEST(GradientNorm, HidesNothingThatIsNotFinite) {
  ExecSpace const space;
  Real const infinity = std::numeric_limits<Real>::infinity();
  for (Real const bad : {infinity, -infinity, std::numeric_limits<Real>::quiet_NaN()}) {
    GradientNorm const norm(3, 1);
    auto const gradient = vector_from({1, bad, 1});
    norm.measure(space, gradient);
    Optimiser optimiser({.momentum = 0}, 3);
    EXPECT_GT(optimiser.update(space, rate, gradient, vector_from({1, 1, 1}), norm.factor()), 0) << bad;
  }
}

TEST(Optimiser, CountsParametersThatAreNotFinite) {
  for (auto const* method : {"sgd", "adam"}) {
    Optimiser optimiser({.method = method}, 4);
    Real const infinity = std::numeric_limits<Real>::infinity();
    EXPECT_EQ(optimiser.update(ExecSpace(), rate, vector_from({1, infinity, std::numeric_limits<Real>::quiet_NaN(), 2}),
                               vector_from({1, 1, 1, 1})),
              2)
        << method;
  }
}

}  // namespace minidad
