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
    if (!children_.empty()) merge_.memory().write_kept(space, dense, 1);
  }
  /// On another number of ranks, what the merging keeps may come to a rank that merges nothing: then `own`, what this
  /// rank does with its own rows, keeps it.
  void visit_state(StateVisitor& visitor, RowCompressor& own);

 private:
  Factors unpacked(Matrix const& rows) const;

  std::size_t width_, in_, out_;
  int parent_ = -1;
  std::vector<int> children_;
  RowChannel channel_;
  Factors stacked_;
  RowCompressor merge_;  // idle where there are no children
};

}  // namespace minidad
