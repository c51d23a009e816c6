// SPDX-License-Identifier: BSD-3-Clause
#include "exchange/exact_part.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "linalg/rows.hpp"

namespace minidad {

ExactPart::ExactPart(std::vector<LayerShape> const& shapes, LowRankSettings const& settings) : shapes_(shapes) {
  for (auto const& shape : shapes) compressed_.push_back(worth_compressing(settings, shape.in, shape.out));
}

std::vector<SumInPlace::Part> ExactPart::parts() const {
  std::vector<SumInPlace::Part> parts;
  for (std::size_t l = 0; l < shapes_.size(); ++l)
    parts.push_back({fmt::format("layer{}", l), compressed_[l] ? shapes_[l].out : shapes_[l].size()});
  return parts;
}

std::size_t ExactPart::size() const {
  std::size_t sum = 0;
  for (auto const& part : parts()) sum += part.size;
  return sum;
}

void ExactPart::place(Vector const& message) {
  require(message.size() == size(), "ExactPart: the message has another size");
  Real* next = message.data();
  for (std::size_t l = 0; l < shapes_.size(); ++l) {
    auto const [in, out, activation] = shapes_[l];
    place_.push_back({Vector(next, out), compressed_[l] ? Matrix() : Matrix(next + out, in, out)});
    next += compressed_[l] ? out : shapes_[l].size();
  }
}

void ExactPart::form(ExecSpace const& space, std::size_t layer, LayerStats const& stats) const {
  column_sums(space, stats.delta, place_[layer].bias);
  if (!compressed_[layer]) form_weight_gradient(space, stats, place_[layer].weight);
}

void ExactPart::deliver(ExecSpace const& space, Parameters const& gradient) const {
  for (std::size_t l = 0; l < shapes_.size(); ++l) {
    auto const& to = gradient.layer[l];
    auto const out = shapes_[l].out;
    copy_rows(space, Matrix(place_[l].bias.data(), 1, out), Matrix(to.bias.data(), 1, out));
    if (!compressed_[l]) copy_rows(space, place_[l].weight, to.weight);
  }
}

}  // namespace minidad
