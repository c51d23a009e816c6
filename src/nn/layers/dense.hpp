// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/activation.hpp"
#include "nn/layer.hpp"

namespace minidad {

/// phi(A W + 1 bᵀ) at every place of a sample: A (rows, in), W (in, out).
class Dense final : public Layer {
 public:
  /// `of`: what it forms, for people, where it is part of another layer.
  Dense(SampleShape const& in, std::size_t out, Activation phi, std::string of = {});
  std::string describe() const override;
  LayerShape shape() const override;
  LayerMemory memory() const override { return {.keeps_output = phi_ != Activation::identity}; }
  /// He-uniform weights, U(-sqrt(6 / in), sqrt(6 / in)) for ReLU and its kin, Glorot-uniform, U(-sqrt(6 / (in + out)),
  /// ...) for the other activations; zero biases.
  void initialise(ExecSpace const& space, std::uint64_t seed, std::uint32_t index,
                  LayerParameters const& to) const override;
  void forward(Pass const& pass, LayerParameters const& p, Place const& at) const override;
  void differentiate(Pass const& pass, LayerParameters const& p, Place const& at) const override;
  void propagate(Pass const& pass, LayerParameters const& p, Place const& at) const override;
  Activation activation() const { return phi_; }

 private:
  Activation phi_;
  std::string of_;
};

/// The bound of uniform weights for a layer of this activation.
double weight_bound(Activation phi, std::size_t fan_in, std::size_t fan_out);

}  // namespace minidad
