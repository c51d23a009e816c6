// SPDX-License-Identifier: BSD-3-Clause
#include "compress/row_compressor.hpp"

#include <algorithm>
#include <limits>

#include "compress/spectrum.hpp"

namespace minidad {

RowCompressor::RowCompressor(CompressorSettings const& settings, ReducerShape shape, std::uint64_t seed)
    : settings_(settings),
      memory_(settings.memory, {shape.in, shape.out, shape.max_rows, settings.width}, ~seed),
      few_{Matrix("minidad::compress::few_input", settings.width, shape.in),
           Matrix("minidad::compress::few_delta", settings.width, shape.out)},
      error_(std::numeric_limits<double>::quiet_NaN()) {
  shape.max_rows = RowMemory::capacity(settings.memory, shape.max_rows, settings.width);
  shape.few = settings.width;
  reducer_ = make_row_reducer(settings.reducer, shape, seed);
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
  auto const sent = first_rows(few_, width);
  memory_.settle(space, sent);
  return sent;
}

}  // namespace minidad
