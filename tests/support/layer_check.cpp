// SPDX-License-Identifier: BSD-3-Clause
#include "support/layer_check.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "core/error.hpp"
#include "linalg/gemm.hpp"
#include "linalg/rows.hpp"
#include "nn/backward_walk.hpp"
#include "nn/loss.hpp"
#include "support/host_copy.hpp"

namespace minidad {

namespace {

constexpr std::size_t samples = 3;

/// A network on one fixed batch, as a function of its parameters.
class Fixed {
 public:
  explicit Fixed(Model const& model)
      : network_(model, 17, space_),
        memory_(model, samples),
        tape_(memory_.tape({{0, samples}})),
        pass_{.space = space_, .blocks = tape_.blocks, .training = true, .seed = 5, .step = 2, .first_row = 4},
        label_("minidad::test::label", tape_.output.extent(0)),
        loss_(tape_.output.extent(0)) {
    auto const classes = tape_.output.extent(1);
    auto const host = Kokkos::create_mirror_view(label_);
    for (std::size_t r = 0; r < host.extent(0); ++r) host(r) = static_cast<std::int32_t>((r * 7 + 1) % classes);
    Kokkos::deep_copy(label_, host);
    // Biases and gains that are not where they start, so that they are tested too.
    for (std::size_t l = 0; l < network_.layers(); ++l) {
      auto const rest = network_.parameters().layer[l].rest;
      auto const rest_host = Kokkos::create_mirror_view(rest);
      Kokkos::deep_copy(rest_host, rest);
      for (std::size_t i = 0; i < rest.extent(0); ++i)
        rest_host(i) += static_cast<Real>(0.1 * std::cos(3.0 * static_cast<double>(i) + static_cast<double>(l)));
      Kokkos::deep_copy(rest, rest_host);
    }
  }

  double loss() {
    // Memory that was used for something else, as it is in training.
    Kokkos::deep_copy(tape_.input, input_);
    network_.forward(pass_, tape_);
    loss_.evaluate(space_, tape_.output, label_, 1.0 / static_cast<double>(label_.extent(0)), tape_.output_delta);
    return loss_.collect(space_).loss / static_cast<double>(label_.extent(0));
  }
  void set_input(std::vector<Real> const& values) {
    input_ = Matrix("minidad::test::input", tape_.input.extent(0), tape_.input.extent(1));
    Kokkos::deep_copy(input_, matrix_from(values, input_.extent(0), input_.extent(1)));
  }

  std::vector<Real> gradient() {
    loss();
    Parameters const gradient("gradient", network_.shapes());
    PhaseClock clock;
    BackwardWalk walk(pass_, clock, network_, tape_);
    while (walk.next()) {
      walk.form_gradient(gradient.layer[walk.layer()]);
      walk.propagate();
    }
    return host_copy(gradient.flat);
  }

  /// After gradient(): the weights' gradients from A and D in full.
  std::vector<Real> expanded_gradient() {
    Parameters const gradient("gradient", network_.shapes());
    for (std::size_t l = 0; l < network_.layers(); ++l) {
      auto const& shape = network_.shapes()[l];
      if (!shape.has_product()) continue;
      Matrix const a("minidad::test::a", samples * shape.rows, shape.in);
      network_.model().step_of(l).layer->expand(space_, tape_.stats[l].input, a);
      Matrix const d(tape_.stats[l].delta.data(), samples * shape.rows, shape.out);
      form_weight_gradient(space_, shape, {a, d}, gradient.layer[l]);
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
  Pass pass_;
  Labels label_;
  SoftmaxCrossEntropy loss_;
  Matrix input_;
};

}  // namespace

double difference_tolerance() { return 32 * std::pow(std::numeric_limits<Real>::epsilon(), 2.0 / 3); }

void expect_gradients_match_differences(Model const& model, double roughness) {
  double const h = std::cbrt(static_cast<double>(std::numeric_limits<Real>::epsilon()));
  double const tolerance = roughness * difference_tolerance();
  Fixed fixed(model);
  bool const ids = model.steps().front().layer->describe().starts_with("embedding");
  auto values = wavy(samples * model.input().size());
  if (ids)
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<Real>(i * i % 5);
  fixed.set_input(values);
  auto const gradient = fixed.gradient(), expanded = fixed.expanded_gradient();
  ASSERT_EQ(gradient.size(), parameter_count(model.shapes()));
  double largest = 0;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    EXPECT_NEAR(gradient[i], fixed.slope(i, h), tolerance) << "parameter " << i;
    largest = std::max(largest, std::abs(static_cast<double>(gradient[i])));
  }
  EXPECT_GT(largest, 10 * difference_tolerance());  // there was something to compare
  std::size_t at = 0;
  for (auto const& shape : model.shapes()) {
    for (std::size_t i = 0; i < shape.weight_size(); ++i)
      EXPECT_NEAR(gradient[at + i], expanded[at + i], difference_tolerance()) << shape.name << " weight " << i;
    at += shape.size();
  }
}

void expect_gradients_match_differences(std::vector<std::string> const& lines, ModelEnds const& ends,
                                        double roughness) {
  expect_gradients_match_differences(build_model(lines, ends, "test"), roughness);
}

std::string layer_complaint(std::vector<std::string> const& lines, ModelEnds const& ends) {
  try {
    build_model(lines, ends, "model.layers");
  } catch (Error const& error) {
    return error.what();
  }
  return "";
}

}  // namespace minidad
