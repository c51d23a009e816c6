// SPDX-License-Identifier: BSD-3-Clause
#include "nn/network.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "nn/models.hpp"
#include "support/host_copy.hpp"
#include "support/layer_check.hpp"

namespace minidad {

namespace {

ModelEnds const features{.input = {.channels = 20}, .classes = 3};

/// What the list of layers is refused with.
std::string complaint(std::vector<std::string> const& lines, ModelEnds const& ends = features) {
  return layer_complaint(lines, ends);
}

}  // namespace

TEST(Mlp, ChainsFromInputsToClasses) {
  auto const model = make_model({.hidden = {8, 6}, .activation = "tanh"}, features);
  auto const& shapes = model.shapes();
  ASSERT_EQ(shapes.size(), 3u);
  EXPECT_EQ(shapes[0].in, 20u);
  EXPECT_EQ(shapes[1].out, 6u);
  EXPECT_EQ(model.steps()[1].layer->describe(), "dense 6 tanh");
  EXPECT_EQ(shapes[2].out, 3u);
  EXPECT_EQ(model.steps()[2].layer->describe(), "dense 3");
  EXPECT_EQ(parameter_count(shapes), 20u * 8 + 8 + 8 * 6 + 6 + 6 * 3 + 3);
  EXPECT_TRUE(is_dense_chain(shapes));
}

TEST(Mlp, WithoutHiddenLayersIsARegression) {
  EXPECT_EQ(make_model({.hidden = {}, .activation = "relu"}, features).shapes().size(), 1u);
}

TEST(Mlp, TakesImagesAsTheyAre) {
  auto const model = make_model({.hidden = {8}}, {.input = {.height = 5, .width = 2, .channels = 2}, .classes = 3});
  EXPECT_EQ(model.shapes()[0].in, 20u);
}

TEST(Mlp, RefusesAnUnknownActivation) {
  EXPECT_THROW(make_model({.hidden = {4}, .activation = "swish"}, features), Error);
}

TEST(LayerList, RepeatsAndJoins) {
  auto const model = build_model(
      {"dense 8 relu", "repeat 3", "residual", "dense 4 tanh", "dense 8", "end relu", "end", "dense classes"}, features,
      "model.layers");
  EXPECT_EQ(model.steps().size(), 1u + 3 * 3 + 1);
  EXPECT_EQ(model.shapes().size(), 8u);
  EXPECT_EQ(model.steps()[3].second, std::optional<std::size_t>(1));
  EXPECT_FALSE(is_dense_chain(model.shapes()));
}

TEST(LayerList, OfDenseLayersAndMoreIsNoChain) {
  EXPECT_TRUE(is_dense_chain(build_model({"dense 8 relu", "dense 3"}, features, "m").shapes()));
  EXPECT_FALSE(is_dense_chain(build_model({"dense 8", "relu", "dense 3"}, features, "m").shapes()));
  EXPECT_FALSE(is_dense_chain(build_model({"dense 8", "dense 3", "tanh"}, features, "m").shapes()));
  EXPECT_FALSE(is_dense_chain(
      build_model({"dense 3"}, {.input = {.height = 2, .channels = 4}, .classes = 3, .labels = 2}, "m").shapes()));
}

TEST(LayerList, NamesTheLineThatIsWrong) {
  EXPECT_EQ(complaint({"dense 8", "dens 3"}).substr(0, 66),
            "model.layers, line 2 \"dens 3\": layer 'dens' is unknown; there are ");
  EXPECT_EQ(complaint({"dense 0"}), "model.layers, line 1 \"dense 0\": the width is 0, it must be at least 1");
  EXPECT_EQ(complaint({"dense"}), "model.layers, line 1 \"dense\": the width is missing: \"dense NUMBER\"");
  EXPECT_EQ(complaint({"dense 3 swish"}), "model.layers, line 1 \"dense 3 swish\": 'swish' means nothing here");
  EXPECT_EQ(complaint({"dense 8", "residual", "dense 4", "end", "dense 3"}),
            "model.layers, line 2 \"residual\": the branch turns 8 into 4, and cannot be added to its input");
  EXPECT_EQ(complaint({"residual", "dense 3"}), "model.layers, line 1 \"residual\": has no \"end\"");
  EXPECT_EQ(complaint({"dense 3", "end"}), "model.layers, line 2 \"end\": there is nothing to end");
  EXPECT_EQ(complaint({"repeat 2", "dense 3"}), "model.layers, line 1 \"repeat 2\": has no \"end\"");
  EXPECT_EQ(complaint({"dense 4"}), "model.layers: it ends in 4, but there is 1 label of 3 classes");
  EXPECT_EQ(complaint({"dense 3"}, {.input = {.height = 4, .width = 4, .channels = 2}, .classes = 3}),
            "model.layers: it ends in 4x4x3, but there is 1 label of 3 classes");
  EXPECT_EQ(complaint({"flatten"}), "model.layers: there is nothing to learn");
  EXPECT_EQ(complaint({" "}), "model.layers, line 1 \" \": there is no layer");
}

TEST(Arena, SharesMemoryOnlyBetweenPiecesThatDoNotMeet) {
  auto const model = build_model(
      {"dense 8", "relu", "repeat 3", "residual", "dense 4 tanh", "dense 8", "end", "relu", "end", "dense 3"}, features,
      "model.layers");
  auto const plan = plan_arena(model);
  for (auto const& a : plan.pieces)
    for (auto const& b : plan.pieces) {
      if (&a == &b || a.end < b.begin || b.end < a.begin) continue;
      EXPECT_TRUE(a.offset + a.size <= b.offset || b.offset + b.size <= a.offset) << a.name << " and " << b.name;
    }
  EXPECT_LT(plan.size, plan.sum());
}

TEST(Network, StartsFromTheSeedAlone) {
  auto const model = dense_chain({{6, 5, Activation::relu}, {5, 3, Activation::identity}});
  Network const a(model, 1, ExecSpace()), same(model, 1, ExecSpace()), other(model, 2, ExecSpace());
  EXPECT_EQ(host_copy(a.parameters().flat), host_copy(same.parameters().flat));
  EXPECT_NE(host_copy(a.parameters().flat), host_copy(other.parameters().flat));
}

TEST(Network, ForwardAppliesWeightBiasAndActivation) {
  Network const network(dense_chain({{2, 2, Activation::relu}, {2, 1, Activation::identity}}), 1, ExecSpace());
  auto const set = [](auto const& view, std::vector<Real> const& values) {
    auto const host = Kokkos::create_mirror_view(view);
    std::copy(values.begin(), values.end(), host.data());
    Kokkos::deep_copy(view, host);
  };
  set(network.parameters().layer[0].all, {1, 2, 3, 4, Real(0.5), -20});  // W row-major, then b
  set(network.parameters().layer[1].all, {2, 1, -1});
  TapeMemory const memory(network.model(), 1);
  auto const tape = memory.tape({{0, 1}});
  set(tape.input, {1, 2});
  network.forward(Network::evaluation(ExecSpace(), tape), tape);
  EXPECT_EQ(host_copy(tape.stats[1].input), (std::vector<Real>{Real(7.5), 0}));  // 1+6+.5; 2+8-20 < 0
  EXPECT_EQ(host_copy(tape.output), std::vector<Real>{14});
}

}  // namespace minidad
