// SPDX-License-Identifier: BSD-3-Clause
#include "nn/backward_walk.hpp"

#include "core/error.hpp"
#include "linalg/gemm.hpp"
#include "linalg/rows.hpp"
#include "nn/layers/dense.hpp"

namespace minidad {

bool BackwardWalk::next() {
  bool const begins = layer_ == network_.layers();
  if (layer_ == 0) return false;
  --layer_;
  if (begins) {
    PhaseScope scope(clock_, Phase::backward, pass_.space);
    descend(network_.steps().size(), layer_);
  }
  return true;
}

void BackwardWalk::differentiate(std::size_t step) const {
  network_.steps()[step].layer->differentiate(pass_, network_.parameters_of(step), tape_.place[step]);
}

void BackwardWalk::propagate_step(std::size_t step) const {
  auto const& at = tape_.place[step];
  if (at.delta_in.size() + at.delta_second.size() == 0) return;
  network_.steps()[step].layer->propagate(pass_, network_.parameters_of(step), at);
  if (tape_.sum_in[step].size() > 0) add_rows(pass_.space, at.delta_in, tape_.sum_in[step]);
  if (tape_.sum_second[step].size() > 0) add_rows(pass_.space, at.delta_second, tape_.sum_second[step]);
}

/// From below step `above` to the statistics of a layer.
void BackwardWalk::descend(std::size_t above, std::size_t layer) const {
  auto const to = network_.model().index_of(layer);
  for (std::size_t step = above; step-- > to;) {
    differentiate(step);
    if (step > to) propagate_step(step);
  }
}

void BackwardWalk::propagate() const {
  PhaseScope scope(clock_, Phase::backward, pass_.space);
  auto const step = network_.model().index_of(layer_);
  propagate_step(step);
  if (layer_ > 0) return descend(step, layer_ - 1);
  for (std::size_t below = step; below-- > 0;) propagate_step(below);  // if dL/d(input) is wanted
}

void BackwardWalk::propagate(LayerStats const& stats, RowLayout const& blocks, Matrix const& below) const {
  PhaseScope scope(clock_, Phase::backward, pass_.space);
  auto const* dense = dynamic_cast<Dense const*>(network_.model().step_of(layer_ - 1).layer.get());
  require(dense != nullptr, "BackwardWalk: rows of anybody go through dense layers only");
  row_block_product(pass_.space, blocks, stats.delta, Op::transpose, network_.parameters().layer[layer_].weight(),
                    below);
  multiply_by_derivative(pass_.space, dense->activation(), stats.input, below);
}

void BackwardWalk::form_gradient(LayerParameters const& sum) const {
  if (network_.shapes()[layer_].has_product()) return form_gradient(layer_, local(), sum);
  form_rest(sum.rest);
}

void BackwardWalk::form_rest(Vector const& rest) const {
  if (rest.extent(0) == 0) return;
  auto const step = network_.model().index_of(layer_);
  network_.steps()[step].layer->form_rest(pass_, network_.parameters_of(step), tape_.place[step], rest);
}

void BackwardWalk::form_gradient(std::size_t layer, LayerStats const& stats, LayerParameters const& sum) const {
  auto const step = network_.model().index_of(layer);
  network_.steps()[step].layer->form_gradient(pass_.space, stats, tape_.place[step].workspace, sum);
}

}  // namespace minidad
