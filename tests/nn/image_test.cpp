// SPDX-License-Identifier: BSD-3-Clause
// The layers of convolutional networks: their formulas against plain loops in double, and their gradients against
// differences.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "nn/layer_list.hpp"
#include "nn/layers/conv.hpp"
#include "nn/layers/group_norm.hpp"
#include "nn/layers/pool.hpp"
#include "support/alone.hpp"
#include "support/layer_check.hpp"

namespace minidad {

namespace {

constexpr double eps = std::numeric_limits<Real>::epsilon();

/// f(y, x, ky, kx, pixel) for all of the window's places and pixels, where they lie inside the image.
void for_each_tap(Window const& w, SampleShape const& image, auto const& f) {
  auto const places = w.places(image, 1);
  for (std::size_t y = 0; y < places.height; ++y)
    for (std::size_t x = 0; x < places.width; ++x)
      for (std::size_t ky = 0; ky < w.kernel; ++ky)
        for (std::size_t kx = 0; kx < w.kernel; ++kx) {
          auto const row = static_cast<long>(y * w.stride + ky) - static_cast<long>(w.pad);
          auto const col = static_cast<long>(x * w.stride + kx) - static_cast<long>(w.pad);
          if (row < 0 || col < 0 || row >= static_cast<long>(image.height) || col >= static_cast<long>(image.width))
            continue;
          f(y * places.width + x, ky * w.kernel + kx,
            static_cast<std::size_t>(row) * image.width + static_cast<std::size_t>(col));
        }
}

struct ConvCase {
  SampleShape image;
  std::size_t filters;
  Window window;
};
std::vector<ConvCase> const conv_cases{{{4, 5, 2}, 3, {.kernel = 3, .pad = 1}},
                                       {{5, 4, 3}, 2, {.kernel = 2, .stride = 2}},
                                       {{6, 6, 1}, 4, {.kernel = 3, .stride = 2, .pad = 1}},
                                       {{3, 3, 4}, 5, {.kernel = 1}},
                                       {{3, 2, 1}, 1, {.kernel = 5, .pad = 4}},
                                       {{7, 7, 2}, 3, {.kernel = 2, .stride = 3}},
                                       {{1, 1, 3}, 2, {.kernel = 3, .stride = 2, .pad = 1}},
                                       {{9, 1, 2}, 2, {.kernel = 1, .stride = 2}},
                                       // more samples than there are patches for at a time
                                       {{40, 40, 8}, 6, {.kernel = 3, .pad = 1}}};

std::vector<Real> part_of(std::vector<Real> const& all, std::size_t part, std::size_t size) {
  return {all.begin() + static_cast<std::ptrdiff_t>(part * size),
          all.begin() + static_cast<std::ptrdiff_t>((part + 1) * size)};
}

}  // namespace

class ConvOf : public testing::TestWithParam<ConvCase> {};
INSTANTIATE_TEST_SUITE_P(Cases, ConvOf, testing::ValuesIn(conv_cases));

TEST_P(ConvOf, MatchesPlainLoops) {
  auto const [image, filters, window] = GetParam();
  constexpr std::size_t samples = 3;
  Conv const layer(image, filters, window, Activation::tanh);
  auto const values = wavy(samples * image.size());
  Alone alone(layer, samples, values);
  auto const bias = wavy(filters);
  Kokkos::deep_copy(Matrix(alone.p.rest.data(), 1, filters), matrix_from(bias, 1, filters));
  auto const weight = host_copy(alone.p.weight());
  Doubles expected;
  for (std::size_t s = 0; s < samples; ++s) {
    Doubles z(layer.out().size());
    for (std::size_t i = 0; i < z.size(); ++i) z[i] = static_cast<double>(bias[i % filters]);
    for_each_tap(
        window, image, [&, &image = image, &filters = filters](std::size_t place, std::size_t tap, std::size_t pixel) {
          for (std::size_t c = 0; c < image.channels; ++c)
            for (std::size_t f = 0; f < filters; ++f)
              z[place * filters + f] += static_cast<double>(values[s * image.size() + pixel * image.channels + c]) *
                                        static_cast<double>(weight[(tap * image.channels + c) * filters + f]);
        });
    for (double const x : z) expected.push_back(std::tanh(x));
  }
  expect_near(alone.forward(), expected, 4 * static_cast<double>(window.size(image)) * eps);
}

// <unfold(x), p> = <x, fold(p)> for all x and p.
TEST_P(ConvOf, FoldsAsTheTransposeOfUnfolding) {
  auto const [image, filters, window] = GetParam();
  constexpr std::size_t samples = 2;
  ExecSpace const space;
  auto const places = samples * window.places(image, 1).places(), size = window.size(image);
  auto const x = wavy(samples * image.size()), p = wavy(places * size, 3);
  Matrix const patches("patches", places, size), images("images", samples, image.size());
  unfold(space, window, image, matrix_from(x, samples, image.size()), patches);
  fold(space, window, image, matrix_from(p, places, size), images);
  auto const unfolded = host_copy(patches), folded = host_copy(images);
  double left = 0, right = 0, most = 0;
  for (std::size_t i = 0; i < p.size(); ++i) left += static_cast<double>(unfolded[i]) * static_cast<double>(p[i]);
  for (std::size_t i = 0; i < x.size(); ++i) {
    double const term = static_cast<double>(folded[i]) * static_cast<double>(x[i]);
    right += term, most += std::abs(term);
  }
  EXPECT_NEAR(left, right, 16 * eps * (most + 1));
}

// What travels may stand beside other columns; and no samples are a gradient too.
TEST_P(ConvOf, FormsGradientsFromGatheredRows) {
  auto const [image, filters, window] = GetParam();
  constexpr std::size_t samples = 3;
  Conv const layer(image, filters, window, Activation::identity);
  ExecSpace const space;
  auto const in = image.size(), out = layer.out().size();
  auto const rows = wavy(samples * (in + out));
  auto const gathered = matrix_from(rows, samples, in + out);
  std::vector<Real> images, deltas;
  for (std::size_t s = 0; s < samples; ++s) {
    auto const row = part_of(rows, s, in + out);
    images.insert(images.end(), row.begin(), row.begin() + static_cast<std::ptrdiff_t>(in));
    deltas.insert(deltas.end(), row.begin() + static_cast<std::ptrdiff_t>(in), row.end());
  }
  Vector const workspace("workspace", layer.workspace(samples)), wide("wide", layer.shape().size()),
      narrow("narrow", layer.shape().size());
  layer.form_gradient(space, {columns_of(gathered, 0, in), columns_of(gathered, in, in + out)}, workspace,
                      layer_parameters(layer.shape(), wide.data()));
  layer.form_gradient(space, {matrix_from(images, samples, in), matrix_from(deltas, samples, out)}, workspace,
                      layer_parameters(layer.shape(), narrow.data()));
  EXPECT_EQ(host_copy(wide), host_copy(narrow));
  layer.form_gradient(space, {Matrix("none", 0, in), Matrix("none", 0, out)}, workspace,
                      layer_parameters(layer.shape(), wide.data()));
  for (auto const x : host_copy(wide)) EXPECT_EQ(x, 0);
}

TEST(MaxPool, TakesTheLargestAndGivesItTheDelta) {
  struct Case {
    SampleShape image;
    Window window;
  };
  for (auto const& [image, window] :
       {Case{{4, 6, 3}, {.kernel = 2, .stride = 2}}, Case{{5, 5, 70}, {.kernel = 3, .stride = 1}},
        Case{{7, 4, 1}, {.kernel = 2, .stride = 3}}, Case{{3, 3, 2}, {.kernel = 1, .stride = 2}}}) {
    constexpr std::size_t samples = 2;
    MaxPool const layer(image, window);
    auto const values = wavy(samples * image.size());
    Alone alone(layer, samples, values);
    Doubles expected, back(values.size(), 0);
    auto const delta = wavy(samples * layer.out().size(), 5);
    for (std::size_t s = 0; s < samples; ++s) {
      std::vector<std::size_t> best(layer.out().size(), image.size());
      for_each_tap(window, image, [&, &image = image](std::size_t place, std::size_t, std::size_t pixel) {
        for (std::size_t c = 0; c < image.channels; ++c) {
          auto& b = best[place * image.channels + c];
          auto const i = pixel * image.channels + c;
          if (b == image.size() || values[s * image.size() + i] > values[s * image.size() + b]) b = i;
        }
      });
      for (std::size_t o = 0; o < best.size(); ++o) {
        expected.push_back(static_cast<double>(values[s * image.size() + best[o]]));
        back[s * image.size() + best[o]] += static_cast<double>(delta[s * best.size() + o]);
      }
    }
    expect_near(alone.forward(), expected, 0);
    expect_near(alone.propagate(delta), back, 16 * eps);
  }
}

TEST(MaxPool, TakesTheFirstOfEqualsAndShowsANan) {
  MaxPool const layer({2, 2, 1}, {.kernel = 2, .stride = 2});
  Alone equal(layer, 1, {3, 3, 3, 3});
  equal.forward();
  EXPECT_EQ(equal.propagate({1}), (std::vector<Real>{1, 0, 0, 0}));
  Real const nan = std::numeric_limits<Real>::quiet_NaN();
  for (std::size_t where = 0; where < 4; ++where) {
    std::vector<Real> values{1, 2, 3, 4};
    values[where] = nan;
    EXPECT_TRUE(std::isnan(Alone(layer, 1, values).forward()[0])) << where;
  }
}

TEST(AveragePool, TakesMeansAndSpreadsDeltas) {
  AveragePool const layer({2, 2, 2});
  Alone alone(layer, 1, {1, 10, 2, 20, 3, 30, 6, 80});
  EXPECT_EQ(alone.forward(), (std::vector<Real>{3, 35}));
  EXPECT_EQ(alone.propagate({4, 8}), (std::vector<Real>{1, 2, 1, 2, 1, 2, 1, 2}));
}

TEST(GroupNorm, MatchesPlainLoops) {
  struct Case {
    SampleShape image;
    std::size_t groups;
  };
  for (auto const& [image, groups] :
       {Case{{3, 4, 6}, 2}, Case{{1, 1, 5}, 1}, Case{{9, 9, 66}, 33}, Case{{2, 2, 3}, 3}}) {
    constexpr std::size_t samples = 2;
    GroupNorm const layer(image, groups);
    auto const values = wavy(samples * image.size());
    Alone alone(layer, samples, values);
    auto const rest = wavy(2 * image.channels);
    Kokkos::deep_copy(Matrix(alone.p.rest.data(), 1, rest.size()), matrix_from(rest, 1, rest.size()));
    auto const in_group = image.channels / groups;
    Doubles expected(values.size());
    for (std::size_t s = 0; s < samples; ++s)
      for (std::size_t g = 0; g < groups; ++g) {
        double const count = static_cast<double>(image.places() * in_group);
        auto const each = [&, &image = image](auto const& f) {
          for (std::size_t place = 0; place < image.places(); ++place)
            for (std::size_t c = g * in_group; c < (g + 1) * in_group; ++c)
              f((s * image.places() + place) * image.channels + c, c);
        };
        double mean = 0, variance = 0;
        each([&](std::size_t i, std::size_t) { mean += static_cast<double>(values[i]) / count; });
        each([&](std::size_t i, std::size_t) {
          variance += std::pow(static_cast<double>(values[i]) - mean, 2) / count;
        });
        each([&, &image = image](std::size_t i, std::size_t c) {
          expected[i] =
              (static_cast<double>(values[i]) - mean) / std::sqrt(variance + 1e-5) * static_cast<double>(rest[c]) +
              static_cast<double>(rest[image.channels + c]);
        });
      }
    // Rounding of the mean is magnified by 1 / sigma, at most 1e-5^(-1/2).
    expect_near(alone.forward(), expected, 320 * 4 * eps);
  }
}

TEST(GroupNorm, OfASampleDoesNotDependOnOthers) {
  GroupNorm const layer({5, 5, 8}, 4);
  auto const values = wavy(3 * layer.in().size());
  auto const all = Alone(layer, 3, values).forward();
  EXPECT_EQ(Alone(layer, 1, part_of(values, 1, layer.in().size())).forward(), part_of(all, 1, layer.in().size()));
}

TEST(Gradient, OfConvolutionsMatchesDifferences) {
  for (auto const* conv : {"conv 3 kernel=3 pad=1 tanh", "conv 2 kernel=2 stride=2 sigmoid", "conv 4 kernel=1",
                           "conv 3 kernel=3 stride=2 pad=1 nobias tanh"})
    expect_gradients_match_differences({"conv 2 kernel=2 tanh", conv, "flatten", "dense 3"},
                                       {.input = {.height = 5, .width = 4, .channels = 2}, .classes = 3});
}

TEST(Gradient, ThroughPoolsMatchesDifferences) {
  for (auto const* pool : {"maxpool 2", "maxpool 2 stride=1", "maxpool 3 stride=2"})
    expect_gradients_match_differences({"conv 3 kernel=2 tanh", pool, "conv 2 kernel=1 tanh", "avgpool", "dense 3"},
                                       {.input = {.height = 6, .width = 7, .channels = 1}, .classes = 3});
}

TEST(Gradient, OfGroupNormMatchesDifferences) {
  for (auto const* norm : {"groupnorm groups=1", "groupnorm groups=2", "groupnorm groups=4"})
    expect_gradients_match_differences({"conv 4 kernel=2 tanh", norm, "tanh", "conv 2 kernel=2", "flatten", "dense 3"},
                                       {.input = {.height = 5, .width = 4, .channels = 2}, .classes = 3});
}

TEST(Gradient, OfProjectedResidualsMatchesDifferences) {
  expect_gradients_match_differences(
      {"conv 2 kernel=1 tanh", "residual project", "conv 4 kernel=3 stride=2 pad=1 tanh", "conv 4 kernel=3 pad=1",
       "end tanh", "residual project", "conv 3 kernel=1 tanh", "end", "avgpool", "dense 3"},
      {.input = {.height = 5, .width = 4, .channels = 2}, .classes = 3});
}

TEST(LayerList, RefusesImagesThatDoNotFit) {
  auto const said = [](std::vector<std::string> const& lines) {
    return layer_complaint(lines, {.input = {.height = 5, .width = 4, .channels = 3}, .classes = 3});
  };
  EXPECT_EQ(said({"conv 2 kernel=5", "flatten", "dense 3"}),
            "model.layers, line 1 \"conv 2 kernel=5\": the window of 5x5 does not fit into 5x4x3");
  EXPECT_EQ(said({"maxpool 6", "flatten", "dense 3"}),
            "model.layers, line 1 \"maxpool 6\": the window of 6x6 does not fit into 5x4x3");
  EXPECT_EQ(said({"conv 4 kernel=1", "groupnorm groups=3", "flatten", "dense 3"}),
            "model.layers, line 2 \"groupnorm groups=3\": 3 groups do not divide the 4 channels of 5x4x4");
  EXPECT_EQ(said({"residual", "conv 4 kernel=1", "end", "flatten", "dense 3"}),
            "model.layers, line 1 \"residual\": the branch turns 5x4x3 into 5x4x4, and cannot be added to its input");
  EXPECT_NE(said({"residual project", "conv 4 kernel=2", "end", "flatten", "dense 3"}), "");
  EXPECT_NE(said({"gru 4", "flatten", "dense 3"}).find("5x4x3 is an image"), std::string::npos);
  for (auto const* conv : {"conv 0 kernel=1", "conv kernel=1", "conv 2", "conv 2 kernel=0", "conv 2 kernel=1 stride=0",
                           "conv 2 kernel=2 pad=2", "conv 2 kernel=2 pad=-1", "conv 2 kernel=3x3",
                           "conv 2 kernel=3 same", "conv 2 kernel=2147483647 pad=2147483646", "maxpool", "maxpool 0",
                           "maxpool 2 stride=0", "maxpool 2 pad=1", "groupnorm", "groupnorm groups=0", "avgpool 2"})
    EXPECT_NE(said({conv, "flatten", "dense 3"}), "") << conv;
  // All that can be wrong is the layer's own: with it mended, nothing is.
  EXPECT_EQ(said({"conv 2 kernel=4", "maxpool 1", "groupnorm groups=2", "flatten", "dense 3"}), "");
}

}  // namespace minidad
