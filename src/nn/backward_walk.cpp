// SPDX-License-Identifier: BSD-3-Clause
#include "nn/backward_walk.hpp"

#include "linalg/gemm.hpp"
#include "linalg/rows.hpp"

namespace minidad {

void BackwardWalk::propagate() const {
  if (layer_ > 0) propagate(local(), tape_.blocks, tape_.delta[layer_ - 1]);
}

void BackwardWalk::propagate(LayerStats const& stats, RowLayout const& blocks, Matrix const& below) const {
  PhaseScope scope(clock_, Phase::backward, space_);
  row_block_product(space_, blocks, stats.delta, Op::transpose, network_.parameters().layer[layer_].weight, below);
  multiply_by_derivative(space_, network_.shapes()[layer_ - 1].activation, stats.input, below);
}

void form_weight_gradient(ExecSpace const& space, Factors const& stats, Matrix const& weight) {
  gemm(space, Op::transpose, Op::none, 1, stats.input, stats.delta, 0, weight);
}

void form_gradient(ExecSpace const& space, LayerStats const& stats, LayerParameters const& sum) {
  form_weight_gradient(space, stats, sum.weight);
  column_sums(space, stats.delta, sum.bias);
}

}  // namespace minidad
