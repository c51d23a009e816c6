// SPDX-License-Identifier: BSD-3-Clause
#include "exchange/local_rows.hpp"

#include <algorithm>

#include "core/fill.hpp"
#include "core/for_each_element.hpp"
#include "linalg/gemm.hpp"
#include "linalg/rows.hpp"

namespace minidad {

namespace {

bool is_folded(LayerShape const& shape, std::size_t max_samples) {
  if (!shape.travels_as_rows()) return true;
  return shape.rows > 1 && shape.rows * max_samples > std::min(shape.in, shape.out);
}

void make_unit(ExecSpace const& space, Matrix const& m) {
  for_each_element(
      "minidad::exchange::make_unit", space, m.extent(0), m.extent(1),
      KOKKOS_LAMBDA(std::size_t row, std::size_t col) { m(row, col) = row == col ? Real(1) : Real(0); });
}

}  // namespace

std::size_t LocalRows::max_rows_of(LayerShape const& shape, std::size_t max_samples) {
  return is_folded(shape, max_samples) ? std::min(shape.in, shape.out) : shape.rows * max_samples;
}

std::size_t LocalRows::memory_of(LayerShape const& shape, std::size_t max_samples) {
  if (!is_folded(shape, max_samples)) return 0;
  return shape.in * shape.out * (shape.out < shape.in ? 2 : 1);
}

LocalRows::LocalRows(std::vector<LayerShape> const& shapes, std::size_t max_samples, std::vector<bool> const& wanted)
    : shapes_(shapes), max_samples_(max_samples), dense_(shapes.size()), formed_(shapes.size()) {
  std::size_t most = 0;
  for (std::size_t l = 0; l < shapes.size(); ++l) {
    auto const& shape = shapes[l];
    if (!wanted[l] || !is_folded(shape, max_samples)) continue;
    formed_[l] = Matrix("minidad::exchange::local_gradient", shape.in, shape.out);
    dense_[l] = shape.out < shape.in ? Matrix("minidad::exchange::local_gradient", shape.out, shape.in) : formed_[l];
    most = std::max(most, std::min(shape.in, shape.out));
  }
  unit_ = Matrix("minidad::exchange::unit", most, most);
  make_unit(ExecSpace(), unit_);
  fence(ExecSpace(), "minidad::exchange::unit_made");
}

void LocalRows::form(BackwardWalk const& walk, Matrix const& dense) const {
  auto const& shape = shapes_[walk.layer()];
  auto const& stats = walk.local();
  if (!shape.travels_as_rows()) return walk.form_gradient(walk.layer(), stats, {{dense}, {}, {}});
  for (auto const& block : shape.weights)
    gemm(walk.space(), Op::transpose, Op::none, 1, columns_of(stats.input, block.row, block.row + block.rows),
         columns_of(stats.delta, block.col, block.col + block.cols), 0,
         columns_of(rows_of(dense, block.row, block.row + block.rows), block.col, block.col + block.cols));
}

Factors LocalRows::take(BackwardWalk const& walk) const {
  auto const& dense = dense_[walk.layer()];
  if (dense.size() == 0) return walk.local();
  form(walk, formed_[walk.layer()]);
  auto const rows = dense.extent(0);
  auto const unit = columns_of(first_rows(unit_, rows), 0, rows);
  auto const& shape = shapes_[walk.layer()];
  if (shape.out >= shape.in) return {unit, dense};
  transpose(walk.space(), formed_[walk.layer()], dense);
  return {dense, unit};
}

}  // namespace minidad
