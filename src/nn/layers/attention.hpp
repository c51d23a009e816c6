// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/layer.hpp"

namespace minidad {

/// What attends to what.
struct Heads {
  std::size_t count;
  bool causal = false;  ///< no place to a later one
};

/// softmax(Q Kᵀ / sqrt(d)) V for each head: the part of multi-head self-attention between its two dense layers, without
/// parameters. The rows of `in` are [q | k | v], each of `width` columns, of which head h has d = width / heads, from h
/// d on.   Vaswani et al. 2017 (arXiv 1706.03762) Probabilities are never stored, so memory grows with the number of
/// places, not its square: the forward pass goes over tiles of keys with a running maximum, and the backward pass forms
/// them again from log sum exp of each row of scores. Dao et al. 2022 (arXiv 2205.14135)
class Attention final : public Layer {
 public:
  /// The heads must divide in.channels / 3.
  Attention(SampleShape const& in, Heads const& heads);
  std::string describe() const override;
  /// Of each head and place log sum exp, and for the backward pass the product of output and delta.
  LayerMemory memory() const override;
  void forward(Pass const& pass, LayerParameters const&, Place const& at) const override;
  void propagate(Pass const& pass, LayerParameters const&, Place const& at) const override;

 private:
  Heads heads_;
};

}  // namespace minidad
