// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/activation.hpp"
#include "nn/layer.hpp"

namespace minidad {

/// out = phi(in), or phi(in + second) where a branch joins: the end of a residual block.   He et al. 2016
/// (arXiv 1512.03385)
class Activate final : public Layer {
 public:
  Activate(SampleShape const& shape, Activation phi, bool joins) : Layer(shape, shape), phi_(phi), joins_(joins) {}
  std::string describe() const override;
  LayerMemory memory() const override { return {.keeps_output = phi_ != Activation::identity}; }
  void forward(Pass const& pass, LayerParameters const&, Place const& at) const override;
  void propagate(Pass const& pass, LayerParameters const&, Place const& at) const override;

 private:
  Activation phi_;
  bool joins_;
};

}  // namespace minidad
