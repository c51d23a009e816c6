// SPDX-License-Identifier: BSD-3-Clause
// The layers of transformers: their formulas against plain loops in double, their gradients against differences, and
// what attention, dropout and embeddings promise.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/random.hpp"
#include "nn/layer_list.hpp"
#include "nn/layers/attention.hpp"
#include "nn/layers/dropout.hpp"
#include "nn/layers/embedding.hpp"
#include "nn/layers/gelu.hpp"
#include "nn/layers/layer_norm.hpp"
#include "nn/layers/positions.hpp"
#include "support/alone.hpp"
#include "support/layer_check.hpp"

namespace minidad {

namespace {

constexpr double eps = std::numeric_limits<Real>::epsilon();

/// softmax(Q Kᵀ / sqrt(d)) V of every head, one loop inside the other.
Doubles plain_attention(std::vector<Real> const& qkv, std::size_t samples, std::size_t places, std::size_t width,
                        Heads const& heads) {
  Doubles out(samples * places * width, 0);
  auto const d = width / heads.count;
  for (std::size_t s = 0; s < samples; ++s)
    for (std::size_t h = 0; h < heads.count; ++h)
      for (std::size_t q = 0; q < places; ++q) {
        auto const value = [&](std::size_t place, std::size_t part, std::size_t c) {
          return static_cast<double>(qkv[(s * places + place) * 3 * width + part * width + h * d + c]);
        };
        Doubles weight;
        double sum = 0;
        for (std::size_t k = 0; k < (heads.causal ? q + 1 : places); ++k) {
          double score = 0;
          for (std::size_t c = 0; c < d; ++c) score += value(q, 0, c) * value(k, 1, c);
          weight.push_back(std::exp(score / std::sqrt(static_cast<double>(d))));
          sum += weight.back();
        }
        for (std::size_t k = 0; k < weight.size(); ++k)
          for (std::size_t c = 0; c < d; ++c)
            out[(s * places + q) * width + h * d + c] += weight[k] / sum * value(k, 2, c);
      }
  return out;
}

struct AttentionShape {
  std::size_t places, width, heads;
};
void PrintTo(AttentionShape const& s, std::ostream* out) { *out << s.places << "x" << s.width << "/" << s.heads; }

}  // namespace

class AttentionOf : public testing::TestWithParam<std::tuple<AttentionShape, bool>> {};

TEST_P(AttentionOf, MatchesPlainLoops) {
  auto const [shape, causal] = GetParam();
  Heads const heads{.count = shape.heads, .causal = causal};
  Attention const layer({.height = shape.places, .channels = 3 * shape.width}, heads);
  auto values = wavy(2 * layer.in().size());
  for (auto& v : values) v *= 3;
  Alone alone(layer, 2, values);
  expect_near(alone.forward(), plain_attention(values, 2, shape.places, shape.width, heads), 200 * eps);
}

// The backward pass is linear in delta: its product with a direction is the slope of out . delta along that direction.
TEST_P(AttentionOf, HasTheSlopeOfPlainLoops) {
  auto const [shape, causal] = GetParam();
  Heads const heads{.count = shape.heads, .causal = causal};
  Attention const layer({.height = shape.places, .channels = 3 * shape.width}, heads);
  auto const values = wavy(2 * layer.in().size());
  Alone alone(layer, 2, values);
  alone.forward();
  std::vector<Real> delta(2 * layer.out().size());
  for (std::size_t i = 0; i < delta.size(); ++i)
    delta[i] = static_cast<Real>(std::sin(0.7 * static_cast<double>(i * i % 101)));
  auto const found = alone.propagate(delta);
  for (std::size_t part = 0; part < 3; ++part) {
    // Along a direction in q, k or v alone, so that none of them hides behind another.
    std::vector<Real> direction(values.size(), 0), up = values, down = values;
    double const h = 1.0 / 64;
    double slope = 0, size = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i % (3 * shape.width) / shape.width != part) continue;
      direction[i] = static_cast<Real>(std::cos(1.3 * static_cast<double>(i * i % 103)));
      slope += static_cast<double>(found[i]) * static_cast<double>(direction[i]);
      size += std::abs(static_cast<double>(found[i]));
    }
    auto const along = [&, &shape = shape, &heads = heads](
                           double step) {  // in double throughout, by Richardson's extrapolation to order 4
      std::vector<Real> moved = values;
      for (std::size_t i = 0; i < moved.size(); ++i) moved[i] += static_cast<Real>(step) * direction[i];
      auto const out = plain_attention(moved, 2, shape.places, shape.width, heads);
      double sum = 0;
      for (std::size_t i = 0; i < out.size(); ++i) sum += out[i] * static_cast<double>(delta[i]);
      return sum;
    };
    double const coarse = (along(h) - along(-h)) / (2 * h), fine = (along(h / 2) - along(-h / 2)) / h;
    EXPECT_NEAR(slope, fine + (fine - coarse) / 3, 1e-6 * size + 64 * eps * (size + 1) / h) << "part " << part;
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, AttentionOf,
                         testing::Combine(testing::Values(AttentionShape{1, 1, 1}, AttentionShape{5, 6, 2},
                                                          AttentionShape{7, 15, 3}, AttentionShape{64, 8, 1},
                                                          AttentionShape{65, 12, 4}, AttentionShape{130, 70, 2}),
                                          testing::Bool()));

TEST(Attention, SurvivesLargeScores) {
  Attention const layer({.height = 70, .channels = 12}, {.count = 2, .causal = true});
  auto values = wavy(layer.in().size());
  for (auto& v : values) v *= 100;
  Alone alone(layer, 1, values);
  for (auto const x : alone.forward()) EXPECT_TRUE(std::isfinite(x));
  for (auto const x : alone.propagate(std::vector<Real>(layer.out().size(), 1))) EXPECT_TRUE(std::isfinite(x));
}

TEST(Attention, KeepsANan) {
  Attention const layer({.height = 3, .channels = 6}, {.count = 1});
  auto values = wavy(layer.in().size());
  values[0] = std::numeric_limits<Real>::quiet_NaN();
  Alone alone(layer, 1, values);
  EXPECT_TRUE(std::isnan(alone.forward()[0]));
}

TEST(Attention, OfCausalHeadsSeesNothingLater) {
  constexpr std::size_t places = 100, width = 8, changed = 70;
  Attention const layer({.height = places, .channels = 3 * width}, {.count = 2, .causal = true});
  auto values = wavy(layer.in().size());
  auto const before = Alone(layer, 1, values).forward();
  for (std::size_t i = changed * 3 * width; i < values.size(); ++i) values[i] = 5 - values[i];
  auto const after = Alone(layer, 1, values).forward();
  for (std::size_t i = 0; i < changed * width; ++i) EXPECT_EQ(before[i], after[i]) << "element " << i;
  EXPECT_NE(before[changed * width], after[changed * width]);
}

TEST(Attention, OfASampleDoesNotDependOnOthers) {
  Attention const layer({.height = 66, .channels = 24}, {.count = 2});
  auto const values = wavy(3 * layer.in().size());
  auto const all = Alone(layer, 3, values).forward();
  auto const size = static_cast<std::ptrdiff_t>(layer.in().size());
  auto const one = Alone(layer, 1, {values.begin() + size, values.begin() + 2 * size}).forward();
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_EQ(one[i], all[layer.out().size() + i]);
}

TEST(LayerNorm, MatchesPlainLoops) {
  for (std::size_t const width : {1, 2, 31, 32, 70}) {
    LayerNorm const layer({.height = 3, .channels = width});
    auto const values = wavy(2 * layer.in().size());
    Alone alone(layer, 2, values);
    auto const rest = wavy(2 * width);
    Kokkos::deep_copy(Matrix(alone.p.rest.data(), 1, 2 * width), matrix_from(rest, 1, 2 * width));
    Doubles expected;
    for (std::size_t row = 0; row < 6; ++row) {
      double mean = 0, variance = 0;
      auto const x = [&](std::size_t c) { return static_cast<double>(values[row * width + c]); };
      for (std::size_t c = 0; c < width; ++c) mean += x(c) / static_cast<double>(width);
      for (std::size_t c = 0; c < width; ++c) variance += std::pow(x(c) - mean, 2) / static_cast<double>(width);
      for (std::size_t c = 0; c < width; ++c)
        expected.push_back((x(c) - mean) / std::sqrt(variance + 1e-5) * static_cast<double>(rest[c]) +
                           static_cast<double>(rest[width + c]));
    }
    // Rounding of the mean is magnified by 1 / sigma, at most 1e-5^(-1/2).
    expect_near(alone.forward(), expected, 320 * 4 * eps);
  }
}

TEST(Gelu, MatchesItsFormula) {
  Gelu const layer({.channels = 40});
  std::vector<Real> values;
  Doubles expected;
  for (int i = -20; i < 20; ++i) {
    double const x = 0.6 * i;
    values.push_back(static_cast<Real>(x));
    auto const y = static_cast<double>(values.back());
    expected.push_back(0.5 * y * (1 + std::tanh(std::sqrt(2 / M_PI) * (y + 0.044715 * y * y * y))));
  }
  Alone alone(layer, 1, values);
  expect_near(alone.forward(), expected, 16 * eps);
}

TEST(Embedding, TakesRowsAndClampsIds) {
  Embedding const layer({.height = 5, .channels = 1}, 3, 4);
  Alone alone(layer, 1, {2, 0, 3, -1, 9});
  auto const out = alone.forward();
  auto const weight = host_copy(alone.p.weight());
  std::size_t const ids[] = {2, 0, 3, 0, 3};
  for (std::size_t row = 0; row < 5; ++row)
    for (std::size_t col = 0; col < 3; ++col) EXPECT_EQ(out[row * 3 + col], weight[ids[row] * 3 + col]);
}

TEST(Positions, AreAddedToEverySample) {
  Positions const layer({.height = 2, .channels = 3});
  auto const values = wavy(12);
  Alone alone(layer, 2, values);
  auto const out = alone.forward();
  auto const p = host_copy(alone.p.rest);
  for (std::size_t i = 0; i < 12; ++i) EXPECT_EQ(out[i], values[i] + p[i % 6]);
}

TEST(Dropout, DropsAsItsRandomNumbersSay) {
  for (std::size_t const width : {1, 50, 128, 131, 300}) {
    Dropout const layer({.channels = width}, 0.25, 7);
    Alone alone(layer, 2, std::vector<Real>(2 * width, 3));
    alone.first_row = 11;
    auto const out = alone.forward();
    auto const delta = alone.propagate(std::vector<Real>(2 * width, 3));
    auto const words = philox(5, Stream::dropout, 7, 2);
    auto const key = words.x[0] | std::uint64_t{words.x[1]} << 32;
    for (std::size_t row = 0; row < 2; ++row)
      for (std::size_t i = 0; i < width; ++i) {
        auto const counter = static_cast<std::uint32_t>(i / 128 * 32 + i % 32);
        auto const word = philox(key, {{counter, static_cast<std::uint32_t>(11 + row), 0, 0}}).x[i % 128 / 32];
        Real const expected = uniform(word) < 0.25 ? Real(0) : 3 * static_cast<Real>(1 / 0.75);
        EXPECT_EQ(out[row * width + i], expected) << i;
        EXPECT_EQ(delta[row * width + i], expected) << i;
      }
  }
}

TEST(Dropout, DependsOnTheSampleAndNotOnWhoHasIt) {
  Dropout const layer({.channels = 200}, 0.5, 0);
  Alone all(layer, 3, wavy(600));
  auto const whole = all.forward();
  auto const in = host_copy(all.at.in);
  Alone last(layer, 1, {in.begin() + 400, in.end()});
  last.first_row = 2;
  auto const own = last.forward();
  for (std::size_t i = 0; i < 200; ++i) EXPECT_EQ(own[i], whole[400 + i]);
}

TEST(Dropout, DoesNothingOutsideTraining) {
  Dropout const layer({.channels = 50}, 0.5, 0);
  auto const values = wavy(100);
  EXPECT_EQ(Alone(layer, 2, values).forward(false), values);
}

TEST(Dropout, OfTwoLayersDiffers) {
  Dropout const a({.channels = 200}, 0.5, 0), b({.channels = 200}, 0.5, 1);
  auto const values = wavy(200);
  EXPECT_NE(Alone(a, 1, values).forward(), Alone(b, 1, values).forward());
}

namespace {

ModelEnds sequence(std::size_t places, std::size_t channels, std::size_t classes) {
  return {.input = {.height = places, .channels = channels}, .classes = classes, .labels = places};
}

}  // namespace

TEST(Gradient, OfEmbeddingsMatchesDifferences) {
  expect_gradients_match_differences({"embedding 4 vocabulary=5", "dense 3"}, sequence(6, 1, 3));
  expect_gradients_match_differences({"embedding 1", "tanh", "dense 7"}, sequence(1, 1, 7));
}

TEST(Embedding, AddsTheRowsOfAnIdInTheirOrder) {
  struct Case {
    std::size_t rows, vocabulary, width;
  };
  for (auto const& [rows, vocabulary, width] : {Case{1, 1, 1}, {300, 1, 5}, {129, 7, 200}, {500, 300, 3}, {0, 4, 2}}) {
    Embedding const layer({.height = 1, .channels = 1}, width, vocabulary);
    auto const delta = wavy(rows * width);
    std::vector<Real> ids(rows), expected(vocabulary * width, 0);
    for (std::size_t row = 0; row < rows; ++row) {
      ids[row] = static_cast<Real>(row * row % 11 * 29 % vocabulary);
      for (std::size_t col = 0; col < width; ++col)
        expected[static_cast<std::size_t>(ids[row]) * width + col] += delta[row * width + col];
    }
    Matrix const sum("minidad::test::sum", vocabulary, width);
    Kokkos::deep_copy(sum, Real(7));
    layer.form_gradient(ExecSpace(), {matrix_from(ids, rows, 1), matrix_from(delta, rows, width)}, {},
                        layer_parameters(layer.shape(), sum.data()));
    EXPECT_EQ(host_copy(sum), expected) << rows << " rows of " << vocabulary << " ids";
  }
}

TEST(Gradient, OfPositionsMatchesDifferences) {
  expect_gradients_match_differences({"dense 4 tanh", "positions", "dense 3"}, sequence(5, 2, 3));
  expect_gradients_match_differences({"positions", "dense 3"}, sequence(1, 1, 3));
}

TEST(Gradient, OfLayerNormMatchesDifferences) {
  expect_gradients_match_differences({"dense 4 tanh", "layernorm", "dense 3"}, sequence(5, 2, 3));
  expect_gradients_match_differences({"dense 35 tanh", "layernorm", "dense 2"}, sequence(1, 3, 2));
  expect_gradients_match_differences({"layernorm", "dense 2"}, sequence(30, 3, 2));
}

TEST(Gradient, ThroughGeluMatchesDifferences) {
  expect_gradients_match_differences({"dense 5", "gelu", "dense 3"}, sequence(3, 2, 3));
}

TEST(Gradient, ThroughDropoutMatchesDifferences) {
  expect_gradients_match_differences({"dense 9 tanh", "dropout 0.3", "dense 3", "dropout 0"}, sequence(3, 2, 3));
}

TEST(Gradient, OfAttentionMatchesDifferences) {
  expect_gradients_match_differences({"dense 4 tanh", "attention heads=2", "dense 3"}, sequence(5, 2, 3));
  expect_gradients_match_differences({"dense 6 tanh", "attention heads=2 causal", "dense 3"}, sequence(7, 2, 3));
  expect_gradients_match_differences({"dense 3", "attention heads=1 causal", "dense 2"}, sequence(1, 3, 2));
  expect_gradients_match_differences({"dense 1", "attention heads=1", "dense 5"}, sequence(4, 3, 5));
}

TEST(Gradient, OfTransformerBlocksMatchesDifferences) {
  for (std::string const mask : {"", " causal"})
    expect_gradients_match_differences(
        {"dense 8", "residual", "layernorm", "attention heads=2" + mask, "end", "residual", "layernorm", "dense 9",
         "gelu", "dropout 0.1", "dense 8", "end", "layernorm", "dense 3"},
        sequence(5, 7, 3));  // wide enough that no place is nearly zero, where layernorm has large third derivatives
}

TEST(LayerList, RefusesTransformersThatDoNotFit) {
  auto const ends = sequence(5, 6, 3);
  EXPECT_EQ(layer_complaint({"attention heads=4", "dense 3"}, ends),
            "model.layers, line 1 \"attention heads=4\": 4 heads do not divide the width 6 of 5x6");
  EXPECT_NE(layer_complaint({"attention", "dense 3"}, ends), "");
  EXPECT_NE(layer_complaint({"attention heads=0", "dense 3"}, ends), "");
  EXPECT_NE(layer_complaint({"attention heads=2 acausal", "dense 3"}, ends), "");
  EXPECT_EQ(layer_complaint({"embedding 4", "dense 3"}, ends),
            "model.layers, line 1 \"embedding 4\": an id is one number a place, but there are 6 in 5x6");
  EXPECT_NE(layer_complaint({"embedding 0", "dense 3"}, sequence(5, 1, 3)), "");
  EXPECT_NE(layer_complaint({"embedding 4 vocabulary=0", "dense 3"}, sequence(5, 1, 3)), "");
  for (std::string const p : {"", " 1", " -0.1", " 0.1x", " nan", " 0.1 0.2"})
    EXPECT_NE(layer_complaint({"dense 3", "dropout" + p}, ends), "") << p;
}

TEST(LayerList, NamesThePartsOfAttention) {
  auto const model = build_model({"attention heads=2 causal", "dense 3"}, sequence(5, 6, 3), "test");
  ASSERT_EQ(model.steps().size(), 4u);
  EXPECT_EQ(model.steps()[0].layer->describe(), "dense 18 (queries, keys and values)");
  EXPECT_EQ(model.steps()[1].layer->describe(), "attention heads=2 causal");
  EXPECT_EQ(model.steps()[2].layer->describe(), "dense 6 (heads)");
}

}  // namespace minidad
