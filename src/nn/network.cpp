// SPDX-License-Identifier: BSD-3-Clause
#include "nn/network.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "linalg/gemm.hpp"

namespace minidad {

Network::Network(std::vector<LayerShape> shapes, std::uint64_t seed, ExecSpace const& space)
    : shapes_(std::move(shapes)), parameters_("parameters", shapes_) {
  for (std::size_t l = 1; l < shapes_.size(); ++l)
    require(shapes_[l].in == shapes_[l - 1].out, "Network: neighbouring layers do not fit");
  initialise(space, shapes_, seed, parameters_);
}

void Network::visit_state(StateVisitor& visitor, Scope scope) {
  for (std::size_t l = 0; l < layers(); ++l) {
    StateGroup const group(visitor, fmt::format("layer{}", l));
    visitor.array("weight", scope, parameters_.layer[l].weight);
    visitor.array("bias", scope, parameters_.layer[l].bias);
  }
}

void Network::forward(ExecSpace const& space, Tape const& tape) const {
  for (std::size_t l = 0; l < layers(); ++l) forward_layer(space, tape, l);
}

void Network::forward_layer(ExecSpace const& space, Tape const& tape, std::size_t layer) const {
  auto const& out = tape.activation[layer + 1];
  auto const& [weight, bias, all] = parameters_.layer[layer];
  row_block_product(space, tape.blocks, tape.activation[layer], Op::none, weight, out);
  add_bias_and_activate(space, shapes_[layer].activation, bias, out);
}

std::vector<LayerShape> layer_shapes(NetworkSettings const& settings, std::size_t inputs, std::size_t classes) {
  auto const phi = activation_named(settings.activation);
  std::vector<LayerShape> shapes;
  std::size_t in = inputs;
  for (auto const width : settings.hidden) {
    shapes.push_back({in, static_cast<std::size_t>(width), phi});
    in = static_cast<std::size_t>(width);
  }
  shapes.push_back({in, classes, Activation::identity});
  constexpr double most = 1e15;  // parameters: keeps every size in bytes far from overflow
  double count = 0;
  for (auto const& shape : shapes) count += static_cast<double>(shape.in) * static_cast<double>(shape.out);
  if (count > most) refuse(fmt::format("model.hidden asks for {:.2g} parameters, beyond any machine", count));
  return shapes;
}

std::size_t parameter_count(std::vector<LayerShape> const& shapes) {
  std::size_t count = 0;
  for (auto const& shape : shapes) count += shape.size();
  return count;
}

}  // namespace minidad
