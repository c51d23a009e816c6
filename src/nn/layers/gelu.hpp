// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/layer.hpp"

namespace minidad {

/// x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x³))): the Gaussian error linear unit in the form that GPT-2 uses, at most
/// 5e-4 from x Phi(x).   Hendrycks & Gimpel 2016 (arXiv 1606.08415)
class Gelu final : public Layer {
 public:
  explicit Gelu(SampleShape const& shape) : Layer(shape, shape) {}
  std::string describe() const override { return "gelu"; }
  LayerMemory memory() const override { return {.keeps_input = true}; }
  void forward(Pass const& pass, LayerParameters const&, Place const& at) const override;
  void propagate(Pass const& pass, LayerParameters const&, Place const& at) const override;
};

}  // namespace minidad
