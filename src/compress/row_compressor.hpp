// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "compress/row_memory.hpp"
#include "compress/row_reducer.hpp"

namespace minidad {

/// How one layer's rows become the rows that travel.
struct CompressorSettings {
  ReducerSettings reducer{};
  std::size_t width = 4;    ///< rows that travel, at most
  double epsilon = 0;       ///< > 0: as few rows as keep the certified relative error within it
  MemorySettings memory{};  ///< of what they leave out
};

/// A reducer with an error budget and a memory.
class RowCompressor {
 public:
  RowCompressor(CompressorSettings const& settings, ReducerShape const& shape, std::uint64_t seed);

  /// The rows to send: width of them, or fewer when a budget is kept with fewer. Valid until the next call.
  Factors operator()(ExecSpace const& space, Factors const& rows);

  /// The certified ||G - A'ᵀD'||_F / ||G||_F of the last call, G with what was kept; NaN when no budget asks.
  double error() const { return error_; }
  RowMemory const& memory() const { return memory_; }
  void visit_state(StateVisitor& visitor);
  /// As RowMemory::adopt.
  void adopt(ExecSpace const& space, Factors const& rows);
  /// What was kept, and is no longer; valid until the next call.
  Factors give_up_kept() { return memory_.give_up_kept(); }

 private:
  void make_reducer();

  CompressorSettings settings_;
  ReducerShape shape_;  // max_rows: what the reducer has room for
  std::uint64_t seed_;
  RowMemory memory_;
  Factors few_;
  std::unique_ptr<RowReducer> reducer_;
  double error_;
};

}  // namespace minidad
