// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/layer.hpp"

namespace minidad {

/// out = row `id` of W at every place: A W with unit vectors for rows of A. Ids are whole numbers from 0 to V - 1
/// (exact as Real up to 2^24); kernels take others for the nearest of these, whoever reads data refuses them. Ids
/// travel, one scalar a row instead of V. What stands below gets no delta but zeros.
class Embedding final : public Layer {
 public:
  /// in.channels must be 1.
  Embedding(SampleShape const& in, std::size_t width, std::size_t vocabulary)
      : Layer(in, {in.height, in.width, width}), vocabulary_(vocabulary) {}
  std::string describe() const override;
  LayerShape shape() const override;
  /// Of standard deviation 0.02, as in GPT-2.
  void initialise(ExecSpace const& space, std::uint64_t seed, std::uint32_t index,
                  LayerParameters const& to) const override;
  void forward(Pass const& pass, LayerParameters const& p, Place const& at) const override;
  void propagate(Pass const& pass, LayerParameters const&, Place const& at) const override;
  /// Adds the rows of D to those of their ids, in the order of the rows.
  void form_gradient(ExecSpace const& space, LayerStats const& wire, Vector const& workspace,
                     LayerParameters const& sum) const override;
  void expand(ExecSpace const& space, Matrix const& wire_input, Matrix const& input) const override;

 private:
  std::size_t vocabulary_;
};

}  // namespace minidad
