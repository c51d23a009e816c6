// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "comm/row_collect.hpp"
#include "comm/row_gather.hpp"
#include "core/phases.hpp"
#include "exchange/exchange.hpp"
#include "io/records.hpp"
#include "nn/network.hpp"
#include "train/factor_spectra.hpp"

namespace minidad {

struct ProbeSettings {
  std::int64_t every = 0;  ///< steps, beginning with the first; 0: never
  std::int64_t width = 4;  ///< of the truncation and of the subspace that are looked at
  bool per_class = false;
};

/// Looks at the gradient of a step beside any exchange: what it could be compressed to, how fast its directions turn,
/// and how far what the exchange left is from it (docs/theory.md says what is measured). Layer l of all ranks' rows is
/// treated by one rank, its owner l % ranks, which alone is given the rows; each rank treats its own rows as well.
/// What it sends is booked under "probe", and training does not feel it.
class Probe {
 public:
  /// `ranks` is the layout of the largest batch, `gradient` where the exchange leaves its result.
  Probe(ProbeSettings const& settings, Communicator& comm, Network const& network, Parameters const& gradient,
        RowLayout const& ranks);

  /// Before the step that is to be looked at: steps 1, 1 + every, 1 + 2 every, ... are.
  bool due(std::int64_t steps_done) const { return steps_done % settings_.every == 0; }

  /// Collective; after the exchange and before the parameters change. `tape` and `label` are of this rank's rows.
  /// Deltas are formed once more where the exchange does not leave those of this rank on the tape.
  void measure(Pass const& pass, std::int64_t step, RowLayout const& ranks, Tape const& tape, Labels const& label,
               Exchange const& exchange);
  /// What the last measure() found: the same on every rank, but for `local`.
  ProbeRecord const& record() const { return record_; }
  /// The subspaces that the next angles are taken from, and the last record.
  void visit_state(StateVisitor& visitor);

  /// Throws Error(user) where a measurement would be out of proportion.
  static void check(ProbeSettings const& settings, Model const& model, RowLayout const& ranks);
  /// Its memory on the rank that needs most.
  static std::size_t bytes(ProbeSettings const& settings, std::vector<LayerShape> const& shapes,
                           RowLayout const& ranks);

 private:
  /// Right singular vectors now and at the last record.
  struct Subspaces {
    std::array<DoubleMatrix, 2> vectors;  // in rows
    std::array<std::int64_t, 2> dimensions{};
    std::int64_t now = 0, records = 0;
    void visit_state(StateVisitor& visitor, char const* name, std::vector<std::size_t> const& shape, int owner);
  };
  struct Layer {  // with a product
    RowCollect input, delta;
    Subspaces own, all;
  };
  Factors rows(ExecSpace const& space, std::size_t layer, LayerStats const& wire) const;
  bool owns(std::size_t layer) const;
  std::size_t width() const { return static_cast<std::size_t>(settings_.width); }
  void evaluate(ExecSpace const& space, std::size_t layer, Factors const& g, Subspaces& subspaces,
                ProbeRecord::Statistic& found);
  double angle(ExecSpace const& space, Subspaces const& subspaces);
  void evaluate_classes(std::size_t layer, std::size_t samples);
  double applied_error(ExecSpace const& space, std::size_t layer, Factors const& g);
  double residual_norm(ExecSpace const& space, std::size_t layer, Exchange const& exchange) const;
  void fetch_labels(ExecSpace const& space);
  void share();

  ProbeSettings settings_;
  Communicator& comm_;
  Network const& network_;
  Parameters gradient_;
  std::vector<std::unique_ptr<Layer>> layers_;
  std::size_t labels_;                   // a sample
  std::vector<RowGather> label_gather_;  // one, or none
  FactorSpectra spectra_;
  DoubleMatrix label_column_, overlap_;
  Matrix dense_;     // as large as the largest layer
  Matrix expanded_;  // A of the largest layer that does not travel as rows
  SmallTransfer transfer_;
  SmallSvd svd_;
  PhaseClock unheard_;  // the trainer's clock books all of this as one
  std::vector<double> class_of_row_, shared_;
  std::vector<std::size_t> members_;
  ProbeRecord record_;
};

}  // namespace minidad
