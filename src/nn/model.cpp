// SPDX-License-Identifier: BSD-3-Clause
#include "nn/model.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "nn/layers/dense.hpp"

namespace minidad {

std::size_t Model::append(std::shared_ptr<Layer const> layer, std::size_t in, std::optional<std::size_t> second) {
  require(in < sizes_.size() && layer->in().size() == sizes_[in] && (!second || sizes_[*second] == sizes_[in]),
          "Model: a layer does not fit its input");
  auto const value = sizes_.size();
  Step step{.layer = std::move(layer), .in = in, .out = value, .second = second};
  auto shape = step.layer->shape();
  bool learns = learns_[in] || (second && learns_[*second]);
  chain_ = chain_ && shape.dense && !second && (in == 0 || in == shapes_.size());
  shape.dense = chain_;
  if (!chain_ && !shapes_.empty() && shape.size() == 0) shapes_.back().dense = false;
  if (shape.size() > 0) {
    step.parameters = shapes_.size();
    parameter_step_.push_back(steps_.size());
    shapes_.push_back(std::move(shape));
    learns = true;
  }
  sizes_.push_back(step.layer->out().size());
  learns_.push_back(learns);
  steps_.push_back(std::move(step));
  return value;
}

std::size_t Model::workspace(std::size_t samples) const {
  std::size_t most = 0;
  for (auto const& step : steps_) most = std::max(most, step.layer->workspace(samples));
  return most;
}

Model dense_chain(std::vector<DenseShape> const& shapes) {
  Model model({.channels = shapes.front().in});
  std::size_t value = 0;
  for (auto const& [in, out, phi] : shapes)
    value = model.append(std::make_shared<Dense>(SampleShape{.channels = in}, out, phi), value);
  return model;
}

bool is_dense_chain(std::vector<LayerShape> const& shapes) {
  return std::all_of(shapes.begin(), shapes.end(), [](LayerShape const& shape) { return shape.dense; });
}

}  // namespace minidad
