// SPDX-License-Identifier: BSD-3-Clause
#include "compress/row_memory.hpp"

#include <algorithm>

#include "compress/random_rows.hpp"
#include "core/error.hpp"
#include "linalg/gemm.hpp"
#include "linalg/rows.hpp"

namespace minidad {

namespace {

/// Of the directions that a reduction starts from, those drawn anew.
constexpr std::size_t fresh = 8;

std::size_t directions(MemorySettings const& settings, ReducerShape const& shape) {
  return std::min({settings.rows, shape.in, shape.out});
}

}  // namespace

RowMemory::RowMemory(MemorySettings const& settings, ReducerShape const& shape, std::uint64_t seed)
    : settings_(settings),
      max_given_(shape.max_rows),
      max_sent_(shape.few),
      seed_(seed),
      input_basis_(directions(settings, shape), shape.in),
      delta_basis_(directions(settings, shape), shape.out) {
  if (settings.rows == 0) return;
  auto const rows = capacity(settings, max_given_, shape.few), columns = directions(settings, shape);
  stacked_ = {Matrix("minidad::compress::stacked_input", rows, shape.in),
              Matrix("minidad::compress::stacked_delta", rows, shape.out)};
  strongest_ = {Matrix("minidad::compress::strongest_input", columns, shape.in),
                Matrix("minidad::compress::strongest_delta", columns, shape.out)};
  coordinates_ = Matrix("minidad::compress::coordinates", rows, columns);
}

Factors RowMemory::append(std::size_t rows) {
  used_ += rows;
  return rows_of(stacked_, used_ - rows, used_);
}

Factors RowMemory::stack(ExecSpace const& space, Factors const& rows) {
  if (settings_.rows == 0) return rows;
  require(rows.rows() <= max_given_, "RowMemory: more rows than was said");
  copy_rows(space, rows, append(rows.rows()));
  return kept();
}

void RowMemory::settle(ExecSpace const& space, Factors const& sent) {
  if (settings_.rows == 0) return;
  auto const taken = append(sent.rows());
  negate_rows(space, sent.input, taken.input);
  copy_rows(space, sent.delta, taken.delta);
  if (++steps_ % settings_.period == 0) reduce(space);
}

bool RowMemory::write_kept(ExecSpace const& space, Matrix const& dense, Real keep) const {
  if (settings_.rows > 0) gemm(space, Op::transpose, Op::none, 1, kept().input, kept().delta, keep, dense);
  return settings_.rows > 0;
}

/// Rows `used` and all that come before the next reduction; keeps no row.
void RowMemory::make_room(std::size_t used) {
  auto const steps = settings_.period - steps_ % settings_.period, rows = used + steps * (max_given_ + max_sent_);
  if (rows <= stacked_.rows()) return;
  stacked_ = {Matrix("minidad::compress::stacked_input", rows, stacked_.input.extent(1)),
              Matrix("minidad::compress::stacked_delta", rows, stacked_.delta.extent(1))};
  coordinates_ = Matrix("minidad::compress::coordinates", rows, coordinates_.extent(1));
}

void RowMemory::visit_state(StateVisitor& visitor) {
  if (settings_.rows == 0) return;
  visitor.value("steps", Scope::own, steps_);  // a memory of merged rows is idle on some ranks
  used_ = visitor.rows("rows", used_);
  if (visitor.loading()) make_room(used_);
  visitor.array("input", Scope::rows, kept().input);
  visitor.array("delta", Scope::rows, kept().delta);
}

void RowMemory::adopt(ExecSpace const& space, Factors const& rows) {
  if (settings_.rows == 0 || rows.rows() == 0) return;
  auto const before = kept();
  make_room(used_ + rows.rows());
  copy_rows(space, before, kept());
  copy_rows(space, rows, append(rows.rows()));
}

void RowMemory::reduce(ExecSpace const& space) {
  auto const g = kept();
  auto const [p, q] = strongest_;
  auto const columns = p.extent(0), anew = std::min(fresh, columns), known = std::min(columns - anew, g.rows());
  fill_normal(space, seed_, steps_, first_rows(p, anew));
  copy_rows(space, first_rows(g.input, known), rows_of(p, anew, anew + known));
  revive_zero_rows(space, ~seed_, steps_, p);
  product_through_rows(space, p, g.input, g.delta, coordinates_, q);
  delta_basis_.orthonormalise_roughly(space, q);
  product_through_rows(space, q, g.delta, g.input, coordinates_, p);
  input_basis_.orthonormalise(space, p);
  product_through_rows(space, p, g.input, g.delta, coordinates_, q);
  used_ = columns;
  copy_rows(space, strongest_, kept());
}

}  // namespace minidad
