// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <vector>

#include "comm/row_gather.hpp"
#include "exchange/exact_part.hpp"
#include "exchange/exchange.hpp"
#include "exchange/local_rows.hpp"
#include "exchange/merged_rows.hpp"

namespace minidad {

/// rank-dAD: every rank replaces the N rows of (A, D) by `width` rows whose product is close to theirs, and only those
/// travel. Not exact: ||G - Ĝ|| <= the sum over ranks of what each leaves out.   Baker et al. 2021 (arXiv 2102.09631),
/// "structured power iterations"; the solvers are RowReducer's.
///
/// Bytes sent per rank and step, r = width, over the compressed layers, plus ExactPart's all-reduce:
///   oneway  (S-1) w r (h_in + h_out): everybody gets all S r rows;
///   root, tree  w r (h_in + h_out) from every rank but 0, (S-1) times that from rank 0: S r rows are reduced to r again.
/// With a budget (epsilon, oneway) a rank sends as few rows as keep it, after 4 (S-1) bytes a layer that say how many.
class RankDad final : public Exchange {
 public:
  RankDad(Communicator& comm, std::vector<LayerShape> const& shapes, std::size_t max_rows,
          LowRankSettings const& settings, std::uint64_t seed, Parameters gradient);
  void reduce(BackwardWalk& walk, RowLayout const& ranks) override;
  std::vector<Fidelity> fidelity() const override;
  static ExchangeForecast forecast(std::vector<LayerShape> const& shapes, int ranks, std::size_t rows,
                                   LowRankSettings const& settings);
  /// What was not sent, and what was lost in merging.
  bool write_kept(ExecSpace const& space, std::size_t layer, Matrix const& dense) const override;
  void visit_state(StateVisitor& visitor) override;

 private:
  struct Layer {
    RowCompressor compress;
    std::unique_ptr<RowGather> gather;  // oneway
    std::unique_ptr<MergedRows> merge;  // root, tree
    Factors few;
  };
  void post(BackwardWalk const& walk, std::size_t layer);
  void agree_on_widths();
  Factors collect(BackwardWalk const& walk, std::size_t layer);

  Communicator& comm_;
  std::vector<LayerShape> shapes_;
  LowRankSettings settings_;
  Parameters gradient_;
  std::vector<bool> compressed_;
  LocalRows rows_;
  ExactPart exact_;
  Vector message_;
  SumInPlace sum_;
  std::vector<std::unique_ptr<Layer>> layers_;  // none where exact
  std::vector<RowLayout> layout_;               // of the few rows, one part a rank
  TrafficEntry* width_entry_ = nullptr;         // with a budget
  std::vector<std::int32_t> my_widths_, all_widths_;
};

}  // namespace minidad
