// SPDX-License-Identifier: BSD-3-Clause
#include "train/optimiser.hpp"

#include <gtest/gtest.h>

#include "support/host_copy.hpp"

namespace minidad {

/// Three updates with changing gradients, by the definition in double.
std::vector<double> reference(OptimiserSettings const& s, double rate, std::size_t n) {
  std::vector<double> x(n), v(n, 0);
  for (std::size_t i = 0; i < n; ++i) x[i] = wavy(n)[i];
  for (int step = 0; step < 3; ++step)
    for (std::size_t i = 0; i < n; ++i) {
      double const g = wavy(n, step + 1)[i] + s.weight_decay * x[i];
      v[i] = s.momentum * v[i] + g;
      x[i] -= rate * (s.nesterov ? g + s.momentum * v[i] : v[i]);
    }
  return x;
}

class EverySgd : public testing::TestWithParam<OptimiserSettings> {};
INSTANTIATE_TEST_SUITE_P(Kinds, EverySgd,
                         testing::Values(OptimiserSettings{.momentum = 0}, OptimiserSettings{.momentum = 0.9},
                                         OptimiserSettings{.momentum = 0.9, .nesterov = true},
                                         OptimiserSettings{.momentum = 0, .weight_decay = 0.1},
                                         OptimiserSettings{.momentum = 0.9, .nesterov = true, .weight_decay = 0.1}));

TEST_P(EverySgd, FollowsItsDefinition) {
  constexpr std::size_t n = 37;
  Sgd sgd(GetParam(), n);
  auto const vector = [](double phase) {
    auto const m = matrix_from(wavy(n, phase), 1, n);
    Vector v("minidad::test::v", n);
    Kokkos::deep_copy(v, Kokkos::subview(m, 0, Kokkos::ALL));
    return v;
  };
  auto const x = vector(0);
  for (int step = 0; step < 3; ++step) sgd.update(ExecSpace(), 0.05, vector(step + 1), x);
  auto const found = host_copy(x);
  auto const expected = reference(GetParam(), 0.05, n);
  for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(found[i], expected[i], 32 * std::numeric_limits<Real>::epsilon());
}

}  // namespace minidad
