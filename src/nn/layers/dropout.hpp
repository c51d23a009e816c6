// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/layer.hpp"

namespace minidad {

/// In training every scalar is zero with the given probability, and divided by its opposite otherwise, so that the mean
/// stays; else the identity.   Srivastava et al. 2014 (JMLR 15, 1929)
/// Which ones is a function of (seed, step, number of the layer, number of the sample in the global batch, scalar)
/// alone: the same after a restart, for any number of ranks, and in the backward pass, which draws them again.
class Dropout final : public Layer {
 public:
  /// `number`: of the layer in its network; two with the same would drop alike.
  Dropout(SampleShape const& shape, double probability, std::uint32_t number)
      : Layer(shape, shape), probability_(probability), number_(number) {}
  std::string describe() const override;
  void forward(Pass const& pass, LayerParameters const&, Place const& at) const override;
  void propagate(Pass const& pass, LayerParameters const&, Place const& at) const override;

 private:
  void apply(Pass const& pass, Matrix const& from, Matrix const& to) const;

  double probability_;
  std::uint32_t number_;
};

}  // namespace minidad
