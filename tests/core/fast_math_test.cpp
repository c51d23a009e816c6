// SPDX-License-Identifier: BSD-3-Clause
#include "core/fast_math.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace minidad {

namespace {

constexpr double eps = std::numeric_limits<float>::epsilon();

/// The largest relative error over [from, to], in units of eps.
template <class F, class Exact>
double worst(double from, double to, F const& f, Exact const& exact) {
  double most = 0;
  constexpr int points = 200000;
  for (int i = 0; i <= points; ++i) {
    auto const x = static_cast<float>(from + (to - from) * i / points);
    double const y = exact(static_cast<double>(x));
    most = std::max(most, std::abs(f(x) - y) / std::max(std::abs(y), 1e-37) / eps);
  }
  return most;
}

}  // namespace

TEST(FastMath, ExpIsWithinAFewRoundings) {
  EXPECT_LT(worst(
                -86, 87, [](float x) { return fast::exp(x); }, [](double x) { return std::exp(x); }),
            3);
}

TEST(FastMath, TanhIsWithinAFewRoundings) {
  auto const tanh = [](float x) { return fast::tanh(x); };
  auto const exact = [](double x) { return std::tanh(x); };
  EXPECT_LT(worst(-10, 10, tanh, exact), 6);
  EXPECT_LT(worst(-1e-3, 1e-3, tanh, exact), 6);
}

TEST(FastMath, SigmoidIsWithinAFewRoundings) {
  auto const exact = [](double x) { return 1 / (1 + std::exp(-x)); };
  EXPECT_LT(worst(
                -80, 80, [](float x) { return fast::sigmoid(x); }, exact),
            4);
}

TEST(FastMath, SaturatesAndKeepsANan) {
  float const infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_NEAR(fast::tanh(infinity), 1, 2 * eps);
  EXPECT_NEAR(fast::tanh(-infinity), -1, 2 * eps);
  EXPECT_EQ(fast::sigmoid(infinity), 1);
  EXPECT_LT(fast::sigmoid(-infinity), 1e-37f);
  EXPECT_TRUE(std::isfinite(fast::exp(infinity)));
  EXPECT_TRUE(std::isnan(fast::exp(nan)));
  EXPECT_TRUE(std::isnan(fast::tanh(nan)));
}

}  // namespace minidad
