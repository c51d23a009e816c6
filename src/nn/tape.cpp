// SPDX-License-Identifier: BSD-3-Clause
#include "nn/tape.hpp"

#include "core/error.hpp"

namespace minidad {

TapeMemory::TapeMemory(std::vector<LayerShape> const& shapes, std::size_t max_rows) {
  whole_.blocks.offset = {0, max_rows};
  whole_.activation.emplace_back("minidad::nn::input", max_rows, shapes.front().in);
  for (auto const& shape : shapes) {
    whole_.activation.emplace_back("minidad::nn::activation", max_rows, shape.out);
    whole_.delta.emplace_back("minidad::nn::delta", max_rows, shape.out);
  }
}

Tape TapeMemory::tape(RowLayout blocks) const {
  auto const rows = blocks.rows();
  require(rows <= max_rows(), "TapeMemory: more rows than were allocated");
  Tape part{.blocks = std::move(blocks), .activation = {}, .delta = {}};
  for (auto const& whole : whole_.activation) part.activation.push_back(first_rows(whole, rows));
  for (auto const& whole : whole_.delta) part.delta.push_back(first_rows(whole, rows));
  return part;
}

std::size_t TapeMemory::bytes(std::vector<LayerShape> const& shapes, std::size_t max_rows) {
  std::size_t scalars = shapes.front().in;
  for (auto const& shape : shapes) scalars += 2 * shape.out;
  return scalars * max_rows * sizeof(Real);
}

}  // namespace minidad
