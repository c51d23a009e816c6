// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/state.hpp"
#include "nn/parameters.hpp"
#include "nn/tape.hpp"

namespace minidad {

struct NetworkSettings {
  std::vector<std::int64_t> hidden{1024, 1024};  ///< widths of the hidden layers; may be empty
  std::string activation = "relu";               ///< of the hidden layers; the last one is linear
};

/// A chain of layers.
class Network {
 public:
  Network(std::vector<LayerShape> shapes, std::uint64_t seed, ExecSpace const& space);

  /// Fills tape.activation from tape.input().
  void forward(ExecSpace const& space, Tape const& tape) const;
  /// The same for one layer: tape.activation[layer + 1] from tape.activation[layer].
  void forward_layer(ExecSpace const& space, Tape const& tape, std::size_t layer) const;

  /// `scope`: common where ranks are replicas, own where each has a model of its own.
  void visit_state(StateVisitor& visitor, Scope scope);

  std::vector<LayerShape> const& shapes() const { return shapes_; }
  Parameters const& parameters() const { return parameters_; }
  std::size_t layers() const { return shapes_.size(); }

 private:
  std::vector<LayerShape> shapes_;
  Parameters parameters_;
};

/// The layers that the settings describe, between `inputs` features and `classes` logits.
std::vector<LayerShape> layer_shapes(NetworkSettings const& settings, std::size_t inputs, std::size_t classes);

std::size_t parameter_count(std::vector<LayerShape> const& shapes);

}  // namespace minidad
