// SPDX-License-Identifier: BSD-3-Clause
#include "nn/network.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "support/host_copy.hpp"

namespace minidad {

TEST(LayerShapes, ChainFromInputsToClasses) {
  auto const shapes = layer_shapes({.hidden = {8, 6}, .activation = "tanh"}, 20, 3);
  ASSERT_EQ(shapes.size(), 3u);
  EXPECT_EQ(shapes[0].in, 20u);
  EXPECT_EQ(shapes[1].out, 6u);
  EXPECT_EQ(shapes[1].activation, Activation::tanh);
  EXPECT_EQ(shapes[2].out, 3u);
  EXPECT_EQ(shapes[2].activation, Activation::identity);
  EXPECT_EQ(parameter_count(shapes), 20u * 8 + 8 + 8 * 6 + 6 + 6 * 3 + 3);
}

TEST(LayerShapes, WithoutHiddenLayersAreARegression) {
  EXPECT_EQ(layer_shapes({.hidden = {}, .activation = "relu"}, 4, 2).size(), 1u);
}

TEST(LayerShapes, RefuseAnUnknownActivation) {
  EXPECT_THROW(layer_shapes({.hidden = {4}, .activation = "swish"}, 4, 2), Error);
}

TEST(Network, StartsFromTheSeedAlone) {
  std::vector<LayerShape> const shapes{{6, 5, Activation::relu}, {5, 3, Activation::identity}};
  Network const a(shapes, 1, ExecSpace()), same(shapes, 1, ExecSpace()), other(shapes, 2, ExecSpace());
  EXPECT_EQ(host_copy(a.parameters().flat), host_copy(same.parameters().flat));
  EXPECT_NE(host_copy(a.parameters().flat), host_copy(other.parameters().flat));
}

TEST(Network, ForwardAppliesWeightBiasAndActivation) {
  Network const network({{2, 2, Activation::relu}, {2, 1, Activation::identity}}, 1, ExecSpace());
  auto const set = [](auto const& view, std::vector<Real> const& values) {
    auto const host = Kokkos::create_mirror_view(view);
    std::copy(values.begin(), values.end(), host.data());
    Kokkos::deep_copy(view, host);
  };
  set(network.parameters().layer[0].all, {1, 2, 3, 4, Real(0.5), -20});  // W row-major, then b
  set(network.parameters().layer[1].all, {2, 1, -1});
  TapeMemory const memory(network.shapes(), 1);
  auto const tape = memory.tape({{0, 1}});
  set(tape.input(), {1, 2});
  network.forward(ExecSpace(), tape);
  EXPECT_EQ(host_copy(tape.activation[1]), (std::vector<Real>{Real(7.5), 0}));  // 1+6+.5; 2+8-20 < 0
  EXPECT_EQ(host_copy(tape.output()), std::vector<Real>{14});
}

}  // namespace minidad
