// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/layer.hpp"

namespace minidad {

/// gain .* (x - mean) / sqrt(variance + 1e-5) + bias, with mean and variance over the channels of each place by itself.
/// Ba et al. 2016 (arXiv 1607.06450)
class LayerNorm final : public Layer {
 public:
  explicit LayerNorm(SampleShape const& shape) : Layer(shape, shape) {}
  std::string describe() const override { return "layernorm"; }
  /// The gains, then the biases.
  LayerShape shape() const override {
    return {.name = "layernorm", .rest_name = "gain_bias", .rest = 2 * in().channels};
  }
  /// Of each place the mean and 1 / sqrt(variance + 1e-5).
  LayerMemory memory() const override { return {.keeps_input = true, .kept = 2 * in().places()}; }
  std::size_t workspace(std::size_t samples) const override;
  /// Gains of one, biases of zero.
  void initialise(ExecSpace const& space, std::uint64_t seed, std::uint32_t index,
                  LayerParameters const& to) const override;
  void forward(Pass const& pass, LayerParameters const& p, Place const& at) const override;
  void propagate(Pass const& pass, LayerParameters const& p, Place const& at) const override;
  void form_rest(Pass const& pass, LayerParameters const&, Place const& at, Vector const& rest) const override;
};

}  // namespace minidad
