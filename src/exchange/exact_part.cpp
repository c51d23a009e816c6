// SPDX-License-Identifier: BSD-3-Clause
#include "exchange/exact_part.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "linalg/rows.hpp"

namespace minidad {

ExactPart::ExactPart(std::vector<LayerShape> const& shapes, std::vector<Share> share)
    : shapes_(shapes), share_(std::move(share)) {}

std::size_t ExactPart::size_of(std::size_t layer) const {
  if (share_[layer] == Share::nothing) return 0;
  return share_[layer] == Share::rest ? shapes_[layer].rest : shapes_[layer].size();
}

std::vector<SumInPlace::Part> ExactPart::parts() const {
  std::vector<SumInPlace::Part> parts;
  for (std::size_t l = 0; l < shapes_.size(); ++l) parts.push_back({fmt::format("layer{}", l), size_of(l)});
  return parts;
}

std::size_t ExactPart::size() const {
  std::size_t sum = 0;
  for (std::size_t l = 0; l < shapes_.size(); ++l) sum += size_of(l);
  return sum;
}

void ExactPart::place(Vector const& message) {
  require(message.size() == size(), "ExactPart: the message has another size");
  Real* next = message.data();
  for (std::size_t l = 0; l < shapes_.size(); ++l) {
    auto shape = shapes_[l];
    if (share_[l] != Share::all) shape.weights.clear();
    if (share_[l] == Share::nothing) shape.rest = 0;
    place_.push_back(layer_parameters(shape, next));
    next += size_of(l);
  }
}

void ExactPart::form(BackwardWalk const& walk) const {
  auto const l = walk.layer();
  if (share_[l] == Share::all) walk.form_gradient(place_[l]);
  if (share_[l] == Share::rest) walk.form_rest(place_[l].rest);
}

void ExactPart::deliver(ExecSpace const& space, Parameters const& gradient) const {
  for (std::size_t l = 0; l < shapes_.size(); ++l) {
    if (size_of(l) == 0) continue;
    auto const& from = share_[l] == Share::all ? place_[l].all : place_[l].rest;
    auto const& to = share_[l] == Share::all ? gradient.layer[l].all : gradient.layer[l].rest;
    copy_rows(space, Matrix(from.data(), 1, from.size()), Matrix(to.data(), 1, to.size()));
  }
}

}  // namespace minidad
