// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <limits>

#include "nn/backward_walk.hpp"
#include "nn/loss.hpp"
#include "support/host_copy.hpp"

namespace minidad {

/// A network on one fixed batch, as a function of its parameters.
class Model {
 public:
  static constexpr std::size_t rows = 6;
  explicit Model(std::vector<LayerShape> const& shapes)
      : network_(shapes, 17, space_), memory_(shapes, rows), tape_(memory_.tape({{0, rows}})), loss_(rows) {
    Kokkos::deep_copy(tape_.input(), matrix_from(wavy(rows * shapes.front().in), rows, shapes.front().in));
    auto const host = Kokkos::create_mirror_view(label_);
    for (std::size_t r = 0; r < rows; ++r) host(r) = static_cast<std::int32_t>(r * 7 % shapes.back().out);
    Kokkos::deep_copy(label_, host);
    // Biases that are not zero, so that they are tested too.
    for (std::size_t l = 0; l < shapes.size(); ++l) {
      auto const bias = network_.parameters().layer[l].bias;
      auto const bias_host = Kokkos::create_mirror_view(bias);
      for (std::size_t i = 0; i < bias.extent(0); ++i) bias_host(i) = static_cast<Real>(0.1 * std::cos(3.0 * i + l));
      Kokkos::deep_copy(bias, bias_host);
    }
  }

  double loss() {
    network_.forward(space_, tape_);
    loss_.evaluate(space_, tape_.output(), label_, 1.0 / rows, tape_.output_delta());
    return loss_.collect(space_).loss / rows;
  }

  std::vector<Real> gradient() {
    loss();
    Parameters const gradient("gradient", network_.shapes());
    PhaseClock clock;
    BackwardWalk walk(space_, clock, network_, tape_);
    while (walk.next()) {
      form_gradient(space_, walk.local(), gradient.layer[walk.layer()]);
      walk.propagate();
    }
    return host_copy(gradient.flat);
  }

  /// dL/dp_i by central differences.
  double slope(std::size_t i, double h) {
    auto const p = Kokkos::subview(network_.parameters().flat, i);
    Real centre = 0;
    Kokkos::deep_copy(centre, p);
    Real const up = centre + static_cast<Real>(h), down = centre - static_cast<Real>(h);
    Kokkos::deep_copy(p, up);
    double const above = loss();
    Kokkos::deep_copy(p, down);
    double const below = loss();
    Kokkos::deep_copy(p, centre);
    return (above - below) / (static_cast<double>(up) - static_cast<double>(down));
  }

 private:
  ExecSpace space_;
  Network network_;
  TapeMemory memory_;
  Tape tape_;
  Labels label_{"minidad::test::label", rows};
  SoftmaxCrossEntropy loss_;
};

/// Balances truncation (h²) and rounding (eps / h): both are then about eps^(2/3), 2.4e-5 in float and 3.7e-11 in
/// double. The factor 32 covers third derivatives and the roundings of the loss; in double the bound is 1.2e-9, far
/// below 1e-6.
void expect_gradient_matches_differences(std::vector<LayerShape> const& shapes) {
  double const eps = std::numeric_limits<Real>::epsilon();
  double const h = std::cbrt(eps), tolerance = 32 * std::pow(eps, 2.0 / 3);
  Model model(shapes);
  auto const gradient = model.gradient();
  ASSERT_EQ(gradient.size(), parameter_count(shapes));
  double largest = 0;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    EXPECT_NEAR(gradient[i], model.slope(i, h), tolerance) << "parameter " << i;
    largest = std::max(largest, std::abs(static_cast<double>(gradient[i])));
  }
  EXPECT_GT(largest, 100 * tolerance);  // there was something to compare
}

TEST(Gradient, OfSoftmaxRegressionMatchesDifferences) {
  expect_gradient_matches_differences({{5, 3, Activation::identity}});
}
TEST(Gradient, ThroughIdentityMatchesDifferences) {
  expect_gradient_matches_differences({{5, 4, Activation::identity}, {4, 3, Activation::identity}});
}
TEST(Gradient, ThroughTanhMatchesDifferences) {
  expect_gradient_matches_differences(
      {{5, 4, Activation::tanh}, {4, 6, Activation::tanh}, {6, 3, Activation::identity}});
}
TEST(Gradient, ThroughSigmoidMatchesDifferences) {
  expect_gradient_matches_differences({{5, 4, Activation::sigmoid}, {4, 3, Activation::identity}});
}
TEST(Gradient, ThroughSoftplusMatchesDifferences) {
  expect_gradient_matches_differences({{5, 4, Activation::softplus}, {4, 3, Activation::identity}});
}
TEST(Gradient, ThroughSoftsignMatchesDifferences) {
  expect_gradient_matches_differences({{5, 4, Activation::softsign}, {4, 3, Activation::identity}});
}
TEST(Gradient, ThroughEluMatchesDifferences) {
  expect_gradient_matches_differences({{5, 4, Activation::elu}, {4, 3, Activation::identity}});
}
TEST(Gradient, ThroughLeakyReluMatchesDifferences) {
  expect_gradient_matches_differences({{5, 4, Activation::leaky_relu}, {4, 3, Activation::identity}});
}
// The batch has no pre-activation within h of the kink, where differences mean nothing.
TEST(Gradient, ThroughReluMatchesDifferences) {
  expect_gradient_matches_differences(
      {{5, 4, Activation::relu}, {4, 3, Activation::relu}, {3, 3, Activation::identity}});
}

}  // namespace minidad
