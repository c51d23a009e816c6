// SPDX-License-Identifier: BSD-3-Clause
#include "compress/row_compressor.hpp"

#include <algorithm>
#include <limits>

#include "compress/spectrum.hpp"
#include "linalg/rows.hpp"

namespace minidad {

RowCompressor::RowCompressor(CompressorSettings const& settings, ReducerShape shape, std::uint64_t seed)
    : settings_(settings), error_(std::numeric_limits<double>::quiet_NaN()) {
  shape.few = settings.width + settings.feedback;
  if (settings.feedback > 0) {
    shape.max_rows += settings.feedback;
    stacked_ = {Matrix("minidad::compress::stacked_input", shape.max_rows, shape.in),
                Matrix("minidad::compress::stacked_delta", shape.max_rows, shape.out)};
  }
  few_ = {Matrix("minidad::compress::few_input", shape.few, shape.in),
          Matrix("minidad::compress::few_delta", shape.few, shape.out)};
  reducer_ = make_row_reducer(settings.reducer, shape, seed);
}

Factors RowCompressor::stack(ExecSpace const& space, Factors const& rows) const {
  if (settings_.feedback == 0) return rows;
  auto const begin = settings_.feedback, end = begin + rows.rows();
  auto const below = rows_of(stacked_, begin, end);
  copy_rows(space, rows.input, below.input);
  copy_rows(space, rows.delta, below.delta);
  return first_rows(stacked_, end);
}

Factors RowCompressor::operator()(ExecSpace const& space, Factors const& rows) {
  reducer_->reduce(space, stack(space, rows), few_);
  auto width = settings_.width;
  if (settings_.epsilon > 0) {
    auto const values = reducer_->values();
    double const norm_squared = reducer_->norm_squared(space);
    width = std::min(width, effective_rank(values, norm_squared, settings_.epsilon));
    error_ = truncation_error(values, norm_squared, width);
  }
  if (settings_.feedback > 0) {
    auto const rest = rows_of(few_, width, width + settings_.feedback), memory = remembered();
    copy_rows(space, rest.input, memory.input);
    copy_rows(space, rest.delta, memory.delta);
  }
  return first_rows(few_, width);
}

}  // namespace minidad
