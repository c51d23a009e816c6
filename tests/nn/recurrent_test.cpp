// SPDX-License-Identifier: BSD-3-Clause
// Recurrent layers: their formulas against plain loops in double, and their gradients against differences.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "nn/layer_list.hpp"
#include "nn/layers/gru.hpp"
#include "nn/layers/lstm.hpp"
#include "nn/layers/pool.hpp"
#include "support/alone.hpp"
#include "support/layer_check.hpp"

namespace minidad {

namespace {

constexpr double eps = std::numeric_limits<Real>::epsilon();
constexpr std::size_t samples = 2, steps = 5, channels = 3, width = 4;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// The parameters of a layer, all of them set, and x of every step.
struct Fixture {
  explicit Fixture(Layer const& layer) : values(wavy(samples * layer.in().size())), alone(layer, samples, values) {
    auto const p = wavy(alone.flat.extent(0));
    Kokkos::deep_copy(Matrix(alone.flat.data(), 1, p.size()), matrix_from(p, 1, p.size()));
    parameters.assign(p.begin(), p.end());
  }
  /// h' of every step, from cell(x, h, sample): a vector of h'.
  Doubles unrolled(auto const& cell) const {
    Doubles all;
    for (std::size_t s = 0; s < samples; ++s) {
      Doubles h(width, 0);
      for (std::size_t t = 0; t < steps; ++t) {
        auto const begin = values.begin() + static_cast<std::ptrdiff_t>((s * steps + t) * channels);
        h = cell(Doubles(begin, begin + channels), h, t);
        all.insert(all.end(), h.begin(), h.end());
      }
    }
    return all;
  }
  /// Column `col` of x W, W (x.size(), cols) from `first` on in the parameters.
  double product(Doubles const& x, std::size_t first, std::size_t cols, std::size_t col) const {
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * parameters[first + i * cols + col];
    return sum;
  }

  std::vector<Real> values;
  Alone alone;
  Doubles parameters;
};

}  // namespace

TEST(Gru, MatchesPlainLoops) {
  Gru const layer({.height = steps, .channels = channels}, width);
  Fixture f(layer);
  std::size_t const recurrent = channels * 3 * width, bias = recurrent + width * 3 * width;
  auto const expected = f.unrolled([&](Doubles const& x, Doubles const& h, std::size_t) {
    Doubles next(width);
    for (std::size_t i = 0; i < width; ++i) {
      auto const of_x = [&](std::size_t gate) { return f.product(x, 0, 3 * width, gate * width + i); };
      auto const of_h = [&](std::size_t gate) { return f.product(h, recurrent, 3 * width, gate * width + i); };
      auto const b = [&](std::size_t gate) { return f.parameters[bias + gate * width + i]; };
      double const r = sigmoid(of_x(1) + of_h(0) + b(1)), z = sigmoid(of_x(2) + of_h(1) + b(2));
      double const n = std::tanh(of_x(0) + b(0) + r * (of_h(2) + b(3)));
      next[i] = (1 - z) * n + z * h[i];
    }
    return next;
  });
  expect_near(f.alone.forward(), expected, 100 * eps);
}

TEST(Lstm, MatchesPlainLoops) {
  Lstm const layer({.height = steps, .channels = channels}, width);
  Fixture f(layer);
  std::size_t const bias = (channels + width) * 4 * width;
  Doubles c(width, 0);
  auto const expected = f.unrolled([&](Doubles const& x, Doubles const& h, std::size_t t) {
    if (t == 0) c.assign(width, 0);
    Doubles both = x, next(width);
    both.insert(both.end(), h.begin(), h.end());
    for (std::size_t i = 0; i < width; ++i) {
      auto const a = [&](std::size_t gate) {
        return f.product(both, 0, 4 * width, gate * width + i) + f.parameters[bias + gate * width + i];
      };
      c[i] = sigmoid(a(1)) * c[i] + sigmoid(a(0)) * std::tanh(a(2));
      next[i] = sigmoid(a(3)) * std::tanh(c[i]);
    }
    return next;
  });
  expect_near(f.alone.forward(), expected, 100 * eps);
}

TEST(Lstm, BeginsByRemembering) {
  Lstm const layer({.height = 1, .channels = 2}, 3);
  Alone const alone(layer, 1, wavy(2));
  EXPECT_EQ(host_copy(alone.p.rest), (std::vector<Real>{0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0}));
}

TEST(Recurrence, SeesNothingLater) {
  Gru const gru({.height = steps, .channels = channels}, width);
  Lstm const lstm({.height = steps, .channels = channels}, width);
  for (Layer const* layer : {static_cast<Layer const*>(&gru), static_cast<Layer const*>(&lstm)}) {
    auto values = wavy(layer->in().size());
    auto const before = Alone(*layer, 1, values).forward();
    for (std::size_t i = 3 * channels; i < values.size(); ++i) values[i] += 1;
    auto const after = Alone(*layer, 1, values).forward();
    for (std::size_t i = 0; i < 3 * width; ++i) EXPECT_EQ(before[i], after[i]);
    EXPECT_NE(before[3 * width], after[3 * width]);
  }
}

TEST(Last, TakesTheLastPlace) {
  Last const layer({.height = 2, .channels = 2});
  Alone alone(layer, 2, {1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_EQ(alone.forward(), (std::vector<Real>{3, 4, 7, 8}));
  EXPECT_EQ(alone.propagate({1, 2, 3, 4}), (std::vector<Real>{0, 0, 1, 2, 0, 0, 3, 4}));
}

TEST(Gradient, OfRecurrentLayersMatchesDifferences) {
  ModelEnds const one{.input = {.height = 4, .channels = 3}, .classes = 3};
  ModelEnds const all{.input = {.height = 4, .channels = 3}, .classes = 3, .labels = 4};
  for (std::string const kind : {"gru", "lstm"}) {
    expect_gradients_match_differences({kind + " 4", "last", "dense 3"}, one);
    expect_gradients_match_differences({"dense 5 tanh", kind + " 3", "dense 3"}, all);
    expect_gradients_match_differences({kind + " 4", kind + " 2", "flatten", "dense 3"}, one);
    expect_gradients_match_differences({kind + " 3", "dense 3"}, {.input = {.channels = 2}, .classes = 3});
  }
}

TEST(LayerList, RefusesRecurrentLayersThatDoNotFit) {
  auto const said = [](std::vector<std::string> const& lines) {
    return layer_complaint(lines, {.input = {.height = 5, .width = 4, .channels = 3}, .classes = 3});
  };
  EXPECT_EQ(
      said({"lstm 4", "last", "dense 3"}),
      "model.layers, line 1 \"lstm 4\": it reads a sequence, but 5x4x3 is an image; \"sequence\" makes one of its "
      "rows");
  for (std::string const kind : {"gru", "lstm"}) {
    EXPECT_NE(said({"sequence", kind, "last", "dense 3"}), "");
    EXPECT_NE(said({"sequence", kind + " 0", "last", "dense 3"}), "");
    EXPECT_NE(said({"sequence", kind + " 4 relu", "last", "dense 3"}), "");
    EXPECT_EQ(said({"sequence", kind + " 4", "last", "dense 3"}), "");
  }
}

}  // namespace minidad
