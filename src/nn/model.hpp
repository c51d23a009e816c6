// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "nn/activation.hpp"
#include "nn/layer.hpp"

namespace minidad {

/// A layer and the values that it maps: out <- f(in), or f(in, second) where branches join.
struct Step {
  std::shared_ptr<Layer const> layer;
  std::size_t in, out;
  std::optional<std::size_t> second{};
  std::optional<std::size_t> parameters{};  ///< its place among the layers that have any
};

/// What a network computes, as a straight list of steps in which every value is written once. Value 0 is the input, the
/// last one the logits. Nothing is allocated; everything that has to be known of a network beforehand is known from
/// this.
class Model {
 public:
  /// `input_delta`: dL/d(input) is wanted too, as if something could learn before it.
  explicit Model(SampleShape const& input, bool input_delta = false)
      : sizes_{input.size()}, learns_{input_delta}, input_(input) {}

  /// Returns the new value. The layer's shapes must have the sizes of the values, as they are: reshaping is free.
  std::size_t append(std::shared_ptr<Layer const> layer, std::size_t in, std::optional<std::size_t> second = {});

  std::vector<Step> const& steps() const { return steps_; }
  SampleShape const& input() const { return input_; }
  SampleShape const& output() const { return steps_.back().layer->out(); }
  /// Scalars of a value, per sample.
  std::vector<std::size_t> const& sizes() const { return sizes_; }
  /// Of the layers with parameters, in order.
  std::vector<LayerShape> const& shapes() const { return shapes_; }
  /// The step of such a layer.
  Step const& step_of(std::size_t layer) const { return steps_[parameter_step_[layer]]; }
  std::size_t index_of(std::size_t layer) const { return parameter_step_[layer]; }
  /// Whether anything that can learn stands before a value.
  bool needs_delta(std::size_t value) const { return learns_[value]; }
  /// The scalars of workspace that its layers share.
  std::size_t workspace(std::size_t samples) const;

 private:
  std::vector<Step> steps_;
  std::vector<std::size_t> sizes_;
  std::vector<bool> learns_;
  std::vector<LayerShape> shapes_;
  bool chain_ = true;  // nothing but dense layers so far
  std::vector<std::size_t> parameter_step_;
  SampleShape input_;
};

/// A dense layer, for chains of them.
struct DenseShape {
  std::size_t in, out;
  Activation activation;
};
Model dense_chain(std::vector<DenseShape> const& shapes);

/// Whether the model is nothing but dense layers on plain features, one after another.
bool is_dense_chain(std::vector<LayerShape> const& shapes);

}  // namespace minidad
