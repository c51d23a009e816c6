// SPDX-License-Identifier: BSD-3-Clause
#include "nn/parameters.hpp"

namespace minidad {

LayerParameters layer_parameters(LayerShape const& shape, Real* data) {
  LayerParameters parameters;
  Real* next = data;
  for (auto const& weight : shape.weights) {
    parameters.weights.emplace_back(next, weight.rows, weight.cols);
    next += weight.rows * weight.cols;
  }
  parameters.rest = Vector(next, shape.rest);
  parameters.all = Vector(data, shape.size());
  return parameters;
}

Parameters::Parameters(std::string const& label, std::vector<LayerShape> const& shapes)
    : flat("minidad::nn::" + label, parameter_count(shapes)) {
  Real* next = flat.data();
  for (auto const& shape : shapes) {
    layer.push_back(layer_parameters(shape, next));
    next += shape.size();
  }
}

std::size_t parameter_count(std::vector<LayerShape> const& shapes) {
  std::size_t count = 0;
  for (auto const& shape : shapes) count += shape.size();
  return count;
}

}  // namespace minidad
