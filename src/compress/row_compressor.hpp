// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "compress/row_reducer.hpp"

namespace minidad {

/// How one layer's rows become the rows that travel.
struct CompressorSettings {
  ReducerSettings reducer;
  std::size_t width = 4;     ///< rows that travel, at most
  double epsilon = 0;        ///< > 0: as few rows as keep the certified relative error within it
  std::size_t feedback = 0;  ///< rows of what was left out that are kept for the next call
};

/// A reducer with a memory ("low-rank error feedback"): what the travelling rows leave out, G - A'ᵀD', is remembered as at
/// most `feedback` rows and is part of the next call's G. Given + remembered = sent + remembered next + what is beyond the
/// memory, exactly but for rounding. No matrix of the layer's size is kept.
class RowCompressor {
 public:
  RowCompressor(CompressorSettings const& settings, ReducerShape shape, std::uint64_t seed);

  /// The rows to send: width of them, or fewer when a budget is kept with fewer. Valid until the next call.
  Factors operator()(ExecSpace const& space, Factors const& rows);

  /// The certified ||G - A'ᵀD'||_F / ||G||_F of the last call, G with what was remembered; NaN when no budget asks.
  double error() const { return error_; }
  Factors remembered() const { return first_rows(stacked_, settings_.feedback); }

 private:
  Factors stack(ExecSpace const& space, Factors const& rows) const;

  CompressorSettings settings_;
  Factors stacked_;  // the remembered rows, then the given ones
  Factors few_;
  std::unique_ptr<RowReducer> reducer_;
  double error_;
};

}  // namespace minidad
