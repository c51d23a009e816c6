// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "core/state.hpp"
#include "nn/model.hpp"
#include "nn/tape.hpp"

namespace minidad {

/// A model with parameters.
class Network {
 public:
  Network(Model model, std::uint64_t seed, ExecSpace const& space);

  /// Fills tape.output from tape.input.
  void forward(Pass const& pass, Tape const& tape) const;
  /// The same for one step.
  void forward_step(Pass const& pass, Tape const& tape, std::size_t step) const;
  /// A pass over the samples of a tape in which nothing is random.
  static Pass evaluation(ExecSpace const& space, Tape const& tape) { return {.space = space, .blocks = tape.blocks}; }

  /// `scope`: common where ranks are replicas, own where each has a model of its own.
  void visit_state(StateVisitor& visitor, Scope scope);

  Model const& model() const { return model_; }
  std::vector<Step> const& steps() const { return model_.steps(); }
  /// Of the layers with parameters, which are what exchanges and records count.
  std::vector<LayerShape> const& shapes() const { return model_.shapes(); }
  std::size_t layers() const { return model_.shapes().size(); }
  Parameters const& parameters() const { return parameters_; }
  /// Those of a step; empty where it has none.
  LayerParameters const& parameters_of(std::size_t step) const {
    auto const layer = model_.steps()[step].parameters;
    return layer ? parameters_.layer[*layer] : nothing_;
  }

 private:
  Model model_;
  Parameters parameters_;
  LayerParameters nothing_;
};

}  // namespace minidad
