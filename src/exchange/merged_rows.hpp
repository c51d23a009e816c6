// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "comm/row_channel.hpp"
#include "compress/row_compressor.hpp"

namespace minidad {

/// Few rows of every rank become few rows of all: each rank merges its own with its children's, reduces them again, and
/// sends them to its parent; rank 0's result goes to everybody. "root": all ranks are children of rank 0; "tree": a
/// binomial tree (rank r's parent is r without its lowest bit). Bytes: every rank but 0 sends its rows once, rank 0
/// sends them (S-1) times.
class MergedRows {
 public:
  MergedRows(Communicator& comm, std::string const& part, std::string const& pattern,
             CompressorSettings const& settings, ReducerShape const& shape, std::uint64_t seed);

  /// Collective, blocking. `mine`: at most settings.width rows.
  Factors operator()(ExecSpace const& space, Factors const& mine);

  /// dense <- dense + what the merging itself has left out and keeps.
  void add_kept(ExecSpace const& space, Matrix const& dense) const {
    if (merge_) merge_->memory().write_kept(space, dense, 1);
  }

 private:
  Factors unpacked(Matrix const& rows) const;

  std::size_t width_, in_, out_;
  int parent_ = -1;
  std::vector<int> children_;
  RowChannel channel_;
  Factors stacked_;
  std::unique_ptr<RowCompressor> merge_;  // where there are children
};

}  // namespace minidad
