// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/types.hpp"

namespace minidad {

/// A weight matrix, whose gradient is the block of G = AᵀD that begins at (row, col).
struct WeightShape {
  std::string name;
  std::size_t row, col, rows, cols;
};

/// Rows in which the statistics of one sample travel. They are those of A and D, but where something smaller tells the
/// same: a convolution sends its input image instead of patches, an embedding ids instead of unit vectors.
struct WireShape {
  std::size_t rows = 0, in = 0, out = 0;
  std::size_t size() const { return rows * (in + out); }
  bool operator==(WireShape const&) const = default;
};

/// The parameters of a layer, and what their gradient is made of: all that exchanges know of a layer.
/// Either G = AᵀD with A (rows, in) and D (rows, out), of `rows` rows a sample, holds the gradients of the weights and
/// the column sums of D that of the bias; or nothing is a product, and only `rest` is there.
struct LayerShape {
  std::string name;             ///< for people
  std::size_t in = 0, out = 0;  ///< of G; zero where nothing is a product
  std::size_t rows = 1;         ///< of A and D, per sample
  WireShape wire{};             ///< what travels, per sample
  std::vector<WeightShape> weights{};
  std::string rest_name{};  ///< "bias", or what else is no product
  std::size_t rest = 0;     ///< scalars of it: `out` for a bias
  bool dense = false;       ///< phi(A W + 1 bᵀ) with phi' from the output, one row a sample: see Edad

  bool has_product() const { return in > 0; }
  bool travels_as_rows() const { return wire == WireShape{rows, in, out}; }
  std::size_t weight_size() const {
    std::size_t sum = 0;
    for (auto const& weight : weights) sum += weight.rows * weight.cols;
    return sum;
  }
  std::size_t size() const { return weight_size() + rest; }
};

struct LayerParameters {
  std::vector<Matrix> weights;
  Vector rest;  ///< the bias, or what else is no product
  Vector all;   ///< everything, as it stands in memory: weights first

  Matrix const& weight() const { return weights.front(); }
  Vector const& bias() const { return rest; }
};

/// The same in other memory, which begins at `data`.
LayerParameters layer_parameters(LayerShape const& shape, Real* data);

/// The parameters of a network, or anything of the same shape (gradients, momentum): one allocation, and views into it.
struct Parameters {
  Vector flat;
  std::vector<LayerParameters> layer;

  Parameters() = default;
  /// All zero.
  Parameters(std::string const& label, std::vector<LayerShape> const& shapes);
};

std::size_t parameter_count(std::vector<LayerShape> const& shapes);

}  // namespace minidad
