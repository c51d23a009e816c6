// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/layer.hpp"

namespace minidad {

/// A gated recurrent unit with the reset gate behind the product (as cuDNN and PyTorch have it), from h_0 = 0 on:
///   r = sigmoid(x W_xr + h W_hr + b_r)   z = sigmoid(x W_xz + h W_hz + b_z)   m = h W_hn + b_m
///   n = tanh(x W_xn + b_n + r .* m)      h' = n + z .* (h - n)
/// Cho et al. 2014 (arXiv 1406.1078). out: h' of all steps.
/// A row of A is [x_t | h_{t-1}], of D [d_n | d_r | d_z | d_n .* r], each of `width` columns: the first three belong to
/// x, the last three to h, and all four are the bias's. So one D of 4 widths serves both weights, where two of 3 would.
class Gru final : public Layer {
 public:
  /// in.width must be 1: a sequence.
  Gru(SampleShape const& in, std::size_t width) : Layer(in, {.height = in.height, .channels = width}) {}
  std::string describe() const override;
  /// "input" (channels, 3 width), "recurrent" (width, 3 width), and the bias [b_n | b_r | b_z | b_m].
  LayerShape shape() const override;
  /// Gates [n | r | z | m] lie where D will be.
  LayerMemory memory() const override { return {.own_input = true, .own_delta = true}; }
  std::size_t workspace(std::size_t samples) const override { return samples * out().channels; }
  /// Glorot-uniform for each gate by itself; zero biases.
  void initialise(ExecSpace const& space, std::uint64_t seed, std::uint32_t index,
                  LayerParameters const& to) const override;
  void forward(Pass const& pass, LayerParameters const& p, Place const& at) const override;
  void differentiate(Pass const& pass, LayerParameters const& p, Place const& at) const override;
  void propagate(Pass const& pass, LayerParameters const& p, Place const& at) const override;
};

}  // namespace minidad
