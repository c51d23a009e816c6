// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/layer.hpp"

namespace minidad {

/// gain .* (x - mean) / sqrt(variance + 1e-5) + bias, with mean and variance over all places of a sample and the
/// channels of a group; gain and bias for each channel.   Wu & He 2018 (arXiv 1803.08494) It stands where others have
/// batch normalisation: what a sample becomes does not depend on which others are beside it, hence not on the number of
/// ranks, and nothing has to be averaged between them.
class GroupNorm final : public Layer {
 public:
  /// The groups must divide the channels.
  GroupNorm(SampleShape const& shape, std::size_t groups) : Layer(shape, shape), groups_(groups) {}
  std::string describe() const override;
  /// The gains, then the biases.
  LayerShape shape() const override {
    return {.name = "groupnorm", .rest_name = "gain_bias", .rest = 2 * in().channels};
  }
  /// Of each channel mean, 1 / sqrt(variance + 1e-5), and its share of the gradients of gain and bias.
  LayerMemory memory() const override;
  /// Gains of one, biases of zero.
  void initialise(ExecSpace const& space, std::uint64_t seed, std::uint32_t index,
                  LayerParameters const& to) const override;
  void forward(Pass const& pass, LayerParameters const& p, Place const& at) const override;
  void differentiate(Pass const& pass, LayerParameters const& p, Place const& at) const override;
  void propagate(Pass const& pass, LayerParameters const& p, Place const& at) const override;
  void form_rest(Pass const& pass, LayerParameters const&, Place const& at, Vector const& rest) const override;

 private:
  std::size_t groups_;
};

}  // namespace minidad
