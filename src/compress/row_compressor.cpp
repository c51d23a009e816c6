// SPDX-License-Identifier: BSD-3-Clause
#include "compress/row_compressor.hpp"

#include <algorithm>
#include <limits>

#include "compress/spectrum.hpp"

namespace minidad {

RowCompressor::RowCompressor(CompressorSettings const& settings, ReducerShape const& shape, std::uint64_t seed)
    : settings_(settings),
      shape_(shape),
      seed_(seed),
      memory_(settings.memory, {shape.in, shape.out, shape.max_rows, settings.width}, ~seed),
      few_{Matrix("minidad::compress::few_input", settings.width, shape.in),
           Matrix("minidad::compress::few_delta", settings.width, shape.out)},
      error_(std::numeric_limits<double>::quiet_NaN()) {
  make_reducer();
}

/// With room for all that the memory may stack.
void RowCompressor::make_reducer() {
  shape_.max_rows = memory_.room();
  shape_.few = settings_.width;
  reducer_ = make_row_reducer(settings_.reducer, shape_, seed_);
}

void RowCompressor::visit_state(StateVisitor& visitor) {
  memory_.visit_state(visitor);
  if (memory_.room() > shape_.max_rows) make_reducer();
  reducer_->visit_state(visitor);
}

void RowCompressor::adopt(ExecSpace const& space, Factors const& rows) {
  memory_.adopt(space, rows);
  if (memory_.room() > shape_.max_rows) make_reducer();  // what a warm start knew is found again
}

Factors RowCompressor::operator()(ExecSpace const& space, Factors const& rows) {
  reducer_->reduce(space, memory_.stack(space, rows), few_);
  auto width = settings_.width;
  if (settings_.epsilon > 0) {
    auto const values = reducer_->values();
    double const norm_squared = reducer_->norm_squared(space);
    width = std::min(width, effective_rank(values, norm_squared, settings_.epsilon));
    error_ = truncation_error(values, norm_squared, width);
  }
  auto sent = first_rows(few_, width);
  memory_.settle(space, sent);
  return sent;
}

}  // namespace minidad
