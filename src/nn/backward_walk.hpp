// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "core/phases.hpp"
#include "nn/network.hpp"

namespace minidad {

/// A cursor that goes from the loss to the input, from one layer with parameters to the next; what stands between them
/// it does by itself. The exchange drives it: it looks at the statistics of the layer, decides what travels, and
/// carries on with whatever statistics it likes (its own rows, or everybody's).
///
///   while (walk.next()) {
///     use(walk.layer(), walk.local());
///     walk.propagate();
///   }
class BackwardWalk {
 public:
  /// tape.output_delta holds dL/d(logits).
  BackwardWalk(Pass const& pass, PhaseClock& clock, Network const& network, Tape const& tape)
      : pass_(pass), clock_(clock), network_(network), tape_(tape), layer_(network.layers()) {}

  /// Moves to the next layer towards the input; false when there is none left.
  bool next();
  std::size_t layer() const { return layer_; }
  ExecSpace const& space() const { return pass_.space; }
  PhaseClock& clock() const { return clock_; }
  /// dL/d(logits): where the walk begins. The walk is linear in it.
  Matrix const& output_delta() const { return tape_.output_delta; }

  /// This rank's statistics of the current layer, as they travel.
  LayerStats const& local() const { return tape_.stats[layer_]; }
  /// Those of all layers: complete once the walk has visited them.
  std::vector<LayerStats> const& all_local() const { return tape_.stats; }

  /// sum <- this rank's gradient of the current layer.
  void form_gradient(LayerParameters const& sum) const;
  /// rest <- this rank's gradient of those parameters of the current layer that are no product.
  void form_rest(Vector const& rest) const;
  /// sum <- the gradient of `layer` from statistics of anybody, as they travel. Not where there is no product.
  void form_gradient(std::size_t layer, LayerStats const& stats, LayerParameters const& sum) const;

  /// The chain rule: forms this rank's statistics of the next layer below. Below the first one only dL/d(input) is
  /// left, if it is wanted.
  void propagate() const;
  /// The same for rows of anybody, from one dense layer to another: below <- (D Wᵀ) .* phi'(A), in the given blocks of
  /// rows. Not in the first layer.
  void propagate(LayerStats const& stats, RowLayout const& blocks, Matrix const& below) const;

 private:
  void descend(std::size_t above, std::size_t layer) const;
  void differentiate(std::size_t step) const;
  void propagate_step(std::size_t step) const;

  Pass pass_;
  PhaseClock& clock_;
  Network const& network_;
  Tape const& tape_;
  std::size_t layer_;
};

}  // namespace minidad
