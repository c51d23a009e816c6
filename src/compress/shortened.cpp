// SPDX-License-Identifier: BSD-3-Clause
#include "compress/shortened.hpp"

#include <algorithm>

#include "core/fill.hpp"
#include "linalg/gemm.hpp"

namespace minidad {

namespace {

void fill_identity(ExecSpace const& space, Matrix const& x) {
  fill(space, x, 0);
  Kokkos::parallel_for(
      "minidad::compress::identity", Kokkos::RangePolicy<ExecSpace>(space, 0, x.extent(0)),
      KOKKOS_LAMBDA(std::size_t i) { x(i, i) = 1; });
}

}  // namespace

Shortened::Shortened(ReducerShape const& shape) : max_rows_(std::min({shape.max_rows, shape.in, shape.out})) {
  if (max_rows_ == shape.max_rows) return;
  folded_ = {Matrix("minidad::compress::folded_input", max_rows_, shape.in),
             Matrix("minidad::compress::folded_delta", max_rows_, shape.out)};
  ExecSpace const space;
  fill_identity(space, shape.out <= shape.in ? folded_.delta : folded_.input);
}

Factors Shortened::operator()(ExecSpace const& space, Factors const& rows) const {
  if (rows.rows() <= max_rows_) return rows;
  bool const by_out = folded_.delta.extent(1) == max_rows_;
  if (by_out)
    gemm(space, Op::transpose, Op::none, 1, rows.delta, rows.input, 0, folded_.input);
  else
    gemm(space, Op::transpose, Op::none, 1, rows.input, rows.delta, 0, folded_.delta);
  return folded_;
}

}  // namespace minidad
