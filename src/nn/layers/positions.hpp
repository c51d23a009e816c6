// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/layer.hpp"

namespace minidad {

/// out = in + P with a learned row of P for every place: tells a transformer where its tokens stand. No product: dL/dP
/// is the sum of the samples' deltas.
class Positions final : public Layer {
 public:
  explicit Positions(SampleShape const& shape) : Layer(shape, shape) {}
  std::string describe() const override { return "positions"; }
  LayerShape shape() const override { return {.name = "positions", .rest_name = "positions", .rest = in().size()}; }
  /// Of standard deviation 0.02, as in GPT-2.
  void initialise(ExecSpace const& space, std::uint64_t seed, std::uint32_t index,
                  LayerParameters const& to) const override;
  void forward(Pass const& pass, LayerParameters const& p, Place const& at) const override;
  void propagate(Pass const& pass, LayerParameters const&, Place const& at) const override;
  void form_rest(Pass const& pass, LayerParameters const&, Place const& at, Vector const& rest) const override;
};

}  // namespace minidad
