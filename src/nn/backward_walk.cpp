// SPDX-License-Identifier: BSD-3-Clause
#include "nn/backward_walk.hpp"

#include "linalg/gemm.hpp"
#include "linalg/rows.hpp"

namespace minidad {

void BackwardWalk::propagate() const {
  if (layer_ == 0) return;
  PhaseScope scope(clock_, Phase::backward, space_);
  auto const& below = tape_.delta[layer_ - 1];
  row_block_product(space_, tape_.blocks, tape_.delta[layer_], Op::transpose,
                    network_.parameters().layer[layer_].weight, below);
  multiply_by_derivative(space_, network_.shapes()[layer_ - 1].activation, tape_.activation[layer_], below);
}

void form_gradient(ExecSpace const& space, LayerStats const& stats, LayerParameters const& sum) {
  gemm(space, Op::transpose, Op::none, 1, stats.input, stats.delta, 0, sum.weight);
  column_sums(space, stats.delta, sum.bias);
}

}  // namespace minidad
