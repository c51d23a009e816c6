// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/layer.hpp"

namespace minidad {

/// A long short-term memory from h_0 = c_0 = 0 on:
///   [a_i | a_f | a_g | a_o] = [x | h] W + b     i, f, o = sigmoid(a)   g = tanh(a)
///   c' = f .* c + i .* g                        h' = o .* tanh(c')
/// Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000. out: h' of all steps.
/// A row of A is [x_t | h_{t-1}], of D [d_i | d_f | d_g | d_o], each of `width` columns.
class Lstm final : public Layer {
 public:
  /// in.width must be 1: a sequence.
  Lstm(SampleShape const& in, std::size_t width) : Layer(in, {.height = in.height, .channels = width}) {}
  std::string describe() const override;
  /// "weight" (channels + width, 4 width), and the bias.
  LayerShape shape() const override;
  /// Gates [i | f | g | o] lie where D will be; c' of every step is kept.
  LayerMemory memory() const override {
    return {.own_input = true, .own_delta = true, .kept = in().places() * out().channels};
  }
  std::size_t workspace(std::size_t samples) const override { return 2 * samples * out().channels; }
  /// Glorot-uniform for each gate and input by itself; biases of one for the forget gate (Jozefowicz et al. 2015), else
  /// of zero.
  void initialise(ExecSpace const& space, std::uint64_t seed, std::uint32_t index,
                  LayerParameters const& to) const override;
  void forward(Pass const& pass, LayerParameters const& p, Place const& at) const override;
  void differentiate(Pass const& pass, LayerParameters const& p, Place const& at) const override;
  void propagate(Pass const& pass, LayerParameters const& p, Place const& at) const override;
};

}  // namespace minidad
