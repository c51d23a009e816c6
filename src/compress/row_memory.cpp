// SPDX-License-Identifier: BSD-3-Clause
#include "compress/row_memory.hpp"

#include "core/error.hpp"
#include "linalg/gemm.hpp"
#include "linalg/rows.hpp"

namespace minidad {

RowMemory::RowMemory(MemorySettings const& settings, ReducerShape shape, std::uint64_t seed)
    : settings_(settings), max_given_(shape.max_rows) {
  if (settings.rows == 0) return;
  shape.max_rows = capacity(settings, max_given_);
  coordinates_ = Matrix("minidad::compress::coordinates", shape.max_rows, shape.few);
  shape.few = settings.rows;
  stacked_ = {Matrix("minidad::compress::stacked_input", shape.max_rows, shape.in),
              Matrix("minidad::compress::stacked_delta", shape.max_rows, shape.out)};
  few_ = {Matrix("minidad::compress::kept_input", shape.few, shape.in),
          Matrix("minidad::compress::kept_delta", shape.few, shape.out)};
  // What a reduction cuts off is lost. The last one's columns know what was kept then, but nothing of the rows that came
  // since: those need columns drawn anew, and a second sweep.
  reducer_ = make_row_reducer({.solver = "block", .sweeps = 2, .oversampling = 8, .fresh = 8}, shape, seed);
}

Factors RowMemory::stack(ExecSpace const& space, Factors const& rows) {
  if (settings_.rows == 0) return rows;
  require(rows.rows() <= max_given_, "RowMemory: more rows than was said");
  given_ = rows.rows();
  auto const below = rows_of(stacked_, used_, used_ + given_);
  copy_rows(space, rows.input, below.input);
  copy_rows(space, rows.delta, below.delta);
  return first_rows(stacked_, used_ + given_);
}

bool RowMemory::write_kept(ExecSpace const& space, Matrix const& dense, Real keep) const {
  if (settings_.rows > 0) gemm(space, Op::transpose, Op::none, 1, kept().input, kept().delta, keep, dense);
  return settings_.rows > 0;
}

void RowMemory::settle(ExecSpace const& space, Matrix const& basis) {
  if (settings_.rows == 0) return;
  used_ += given_;
  auto const rest = kept();
  auto const w = corner_of(coordinates_, used_, basis.extent(0));
  gemm(space, Op::none, Op::transpose, 1, rest.input, basis, 0, w);
  gemm(space, Op::none, Op::none, -1, w, basis, 1, rest.input);
  if (used_ + max_given_ <= stacked_.rows()) return;  // there is room for another step
  reducer_->reduce(space, rest, few_);
  used_ = settings_.rows;
  copy_rows(space, few_.input, kept().input);
  copy_rows(space, few_.delta, kept().delta);
}

}  // namespace minidad
