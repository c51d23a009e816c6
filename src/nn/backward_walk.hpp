// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "core/phases.hpp"
#include "linalg/factors.hpp"
#include "nn/network.hpp"

namespace minidad {

/// All that the gradient of one linear map needs: the rows A of its input and D = dL/dz of its output;
/// dL/dW = AᵀD, and dL/db = the column sums of D.
/// The loss is a mean over the rows of *all* ranks, so gradients of parts of a batch simply add up.
using LayerStats = Factors;

/// A cursor that goes from the loss to the input, one layer a step. The exchange drives it: it looks at the statistics
/// of the layer, decides what travels, and carries on with whatever statistics it likes (its own rows, or everybody's).
///
///   while (walk.next()) {
///     use(walk.layer(), walk.local());
///     walk.propagate();
///   }
class BackwardWalk {
 public:
  /// tape.output_delta() holds dL/dz of the last layer.
  BackwardWalk(ExecSpace const& space, PhaseClock& clock, Network const& network, Tape const& tape)
      : space_(space), clock_(clock), network_(network), tape_(tape), layer_(network.layers()) {}

  /// Moves to the next layer towards the input; false when there is none left.
  bool next() {
    if (layer_ == 0) return false;
    --layer_;
    return true;
  }
  std::size_t layer() const { return layer_; }
  ExecSpace const& space() const { return space_; }
  PhaseClock& clock() const { return clock_; }

  /// This rank's statistics of the current layer.
  LayerStats local() const { return {tape_.activation[layer_], tape_.delta[layer_]}; }

  /// The chain rule: forms this rank's delta of the layer below. Nothing to do in the first layer.
  void propagate() const;
  /// The same for rows of anybody: below <- (D Wᵀ) .* phi'(A), in the given blocks of rows. Not in the first layer.
  void propagate(LayerStats const& stats, RowLayout const& blocks, Matrix const& below) const;

 private:
  ExecSpace const& space_;
  PhaseClock& clock_;
  Network const& network_;
  Tape const& tape_;
  std::size_t layer_;
};

/// weight <- inputᵀ delta.
void form_weight_gradient(ExecSpace const& space, Factors const& stats, Matrix const& weight);
/// sum.weight <- inputᵀ delta, sum.bias <- column sums of delta; zero rows give zeros.
void form_gradient(ExecSpace const& space, LayerStats const& stats, LayerParameters const& sum);

}  // namespace minidad
