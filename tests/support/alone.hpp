// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "nn/layer.hpp"
#include "support/host_copy.hpp"

namespace minidad {

using Doubles = std::vector<double>;

/// One layer with memory of its own, on `samples` samples.
struct Alone {
  Alone(Layer const& of, std::size_t n, std::vector<Real> const& values)
      : layer(of),
        samples(n),
        blocks{{0, n}},
        flat("flat", of.shape().size()),
        p(layer_parameters(of.shape(), flat.data())) {
    auto const matrix = [&](SampleShape const& shape) { return Matrix("matrix", n * shape.places(), shape.channels); };
    at.in = matrix_from(values, n * of.in().places(), of.in().channels);
    at.out = matrix(of.out()), at.delta_out = matrix(of.out()), at.delta_in = matrix(of.in());
    auto const shape = of.shape();
    auto const memory = of.memory();
    at.input = memory.own_input ? Matrix("a", n * shape.rows, shape.in) : at.in;
    at.delta = memory.own_delta ? Matrix("d", n * shape.rows, shape.out) : at.delta_out;
    at.kept = Matrix("kept", n, memory.kept), at.scratch = Matrix("scratch", n, memory.scratch);
    at.workspace = Vector("workspace", of.workspace(n));
    layer.initialise(space, 3, 0, p);
  }
  Pass pass(bool training = true) const {
    return {.space = space, .blocks = blocks, .training = training, .seed = 5, .step = 2, .first_row = first_row};
  }
  std::vector<Real> forward(bool training = true) {
    layer.forward(pass(training), p, at);
    return host_copy(at.out);
  }
  std::vector<Real> propagate(std::vector<Real> const& delta) {
    Kokkos::deep_copy(at.delta_out, matrix_from(delta, at.delta_out.extent(0), at.delta_out.extent(1)));
    layer.differentiate(pass(), p, at);
    layer.propagate(pass(), p, at);
    return host_copy(at.delta_in);
  }

  ExecSpace space;
  Layer const& layer;
  std::size_t samples, first_row = 0;
  RowLayout blocks;
  Vector flat;
  LayerParameters p;
  Place at;
};

inline void expect_near(std::vector<Real> const& found, Doubles const& expected, double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], tolerance) << "element " << i;
}

}  // namespace minidad
