// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/types.hpp"
#include "nn/activation.hpp"

namespace minidad {

/// A linear map with bias and activation: phi(A W + 1 bᵀ).
struct LayerShape {
  std::size_t in, out;
  Activation activation;
  std::size_t size() const { return in * out + out; }
};

struct LayerParameters {
  Matrix weight;  ///< (in, out)
  Vector bias;    ///< (out)
  Vector all;     ///< both, as they stand in memory: weight first
};

/// The parameters of a network, or anything of the same shape (gradients, momentum): one allocation, and views into it.
struct Parameters {
  Vector flat;
  std::vector<LayerParameters> layer;

  Parameters() = default;
  /// All zero.
  Parameters(std::string const& label, std::vector<LayerShape> const& shapes);
};

/// He-uniform weights, U(-sqrt(6 / in), sqrt(6 / in)) for ReLU and its kin, Glorot-uniform, U(-sqrt(6 / (in + out)),
/// ...) for the other activations; zero biases. A function of (seed, layer, position) alone, so every rank draws the
/// same.
void initialise(ExecSpace const& space, std::vector<LayerShape> const& shapes, std::uint64_t seed,
                Parameters const& parameters);

}  // namespace minidad
