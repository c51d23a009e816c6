// SPDX-License-Identifier: BSD-3-Clause
#include "nn/network.hpp"

#include <fmt/format.h>

namespace minidad {

Network::Network(Model model, std::uint64_t seed, ExecSpace const& space)
    : model_(std::move(model)), parameters_("parameters", model_.shapes()) {
  for (std::size_t l = 0; l < layers(); ++l)
    model_.step_of(l).layer->initialise(space, seed, static_cast<std::uint32_t>(l), parameters_.layer[l]);
}

void Network::visit_state(StateVisitor& visitor, Scope scope) {
  for (std::size_t l = 0; l < layers(); ++l) {
    StateGroup const group(visitor, fmt::format("layer{}", l));
    auto const& shape = shapes()[l];
    for (std::size_t w = 0; w < shape.weights.size(); ++w)
      visitor.array(shape.weights[w].name, scope, parameters_.layer[l].weights[w]);
    if (shape.rest > 0) visitor.array(shape.rest_name, scope, parameters_.layer[l].rest);
  }
}

void Network::forward(Pass const& pass, Tape const& tape) const {
  for (std::size_t s = 0; s < steps().size(); ++s) forward_step(pass, tape, s);
}

void Network::forward_step(Pass const& pass, Tape const& tape, std::size_t step) const {
  Place at = tape.place[step];
  at.scratch = tape.forward_scratch[step];
  steps()[step].layer->forward(pass, parameters_of(step), at);
}

}  // namespace minidad
