// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/phases.hpp"
#include "core/state.hpp"

namespace minidad {

// What a run tells about itself: plain values that the trainer fills, progress shows and the run file keeps.

/// One entry of the time series. Means and sums are over the steps since the previous entry.
struct StepRecord {
  std::int64_t step = 0;   ///< steps done so far
  std::int64_t epoch = 0;  ///< the one this step belongs to, from 1
  double loss = 0;         ///< training loss, mean over all ranks' rows, nats
  double accuracy = 0;     ///< training accuracy, in [0, 1]
  double learning_rate = 0;
  double gradient_norm = 0;  ///< of all parameters in the last step, before it is clipped; rank 0's, if ranks differ
  PhaseSeconds seconds{};    ///< of this rank
  std::vector<double> bytes_sent;       ///< of this rank, per traffic channel
  std::vector<std::int64_t> messages;   ///< likewise
  std::vector<double> factor_width;     ///< of this rank in the last step, per layer; NaN: the layer travelled exactly
  std::vector<double> certified_error;  ///< likewise; NaN: nothing is certified
};

struct EpochRecord {
  std::int64_t epoch = 0;  ///< epochs done so far
  double test_loss = 0;    ///< nats
  double test_accuracy = 0;
  double training_seconds = 0;    ///< since the start, without evaluation and output
  double consensus_distance = 0;  ///< of the ranks' models from their mean, see train/consensus.hpp; 0: they are one
};

/// The run as a whole.
struct TrainingSummary {
  std::int64_t steps = 0;
  std::int64_t parameters = 0;
  double samples_per_second = 0;  ///< the figure of merit: of all ranks together, in training
  double training_seconds = 0;    ///< the slowest rank's
  double test_loss = 0;
  double test_accuracy = 0;
  double bytes_per_step = 0;           ///< sent by the exchange, mean over ranks and steps
  std::int64_t peak_memory = 0;        ///< bytes, the largest rank's
  std::uint64_t parameter_digest = 0;  ///< of the bits of the final parameters, of rank 0 if they differ
};

/// What is measured of a gradient G with singular values sigma_j, see compress/spectrum.hpp; "rank_x" is the effective
/// rank for the relative error x, "error" and "energy" are those of the truncation to the probe's width.
enum class Measure : std::size_t {
  rows,
  norm,
  rank_0_5,
  rank_0_1,
  rank_0_01,
  stable_rank,
  entropy_rank,
  error,
  energy
};
inline constexpr std::array<char const*, 9> measure_names{
    "rows", "norm", "rank_0.5", "rank_0.1", "rank_0.01", "stable_rank", "entropy_rank", "error", "energy"};
inline constexpr std::size_t probed_values = 32;  ///< singular values that are kept

/// What the records are about; no classes: they are not told apart.
struct RecordShape {
  std::size_t layers = 0;
  bool probe = false;
  std::size_t classes = 0;
};

/// One look at a step's gradient. Matrices are row-major; fewer singular values than there is room for end in zeros.
struct ProbeRecord {
  std::int64_t step = 0;  ///< the one looked at, from 1
  struct Statistic {
    std::vector<double> gradient_spectrum, input_spectrum, delta_spectrum;  ///< (layer, value)
    std::vector<double> measures;                                           ///< (layer, measure), of the gradient
    std::vector<double> angle;                                              ///< (layer); NaN at the first record
  };
  Statistic global, local;                             ///< rows of all ranks; of this rank
  std::vector<double> applied_error;                   ///< (layer)
  std::vector<double> residual_norm;                   ///< (layer), of this rank
  std::vector<double> class_spectrum, class_measures;  ///< (layer, class, value), (layer, class, measure)
};

/// How many records a run file has along each axis that grows.
struct RecordCounts {
  std::int64_t step = 0, epoch = 0, probe_step = 0;
  void visit_state(StateVisitor& visitor) {
    StateGroup const group(visitor, "records");
    visitor.value("step", Scope::common, step);
    visitor.value("epoch", Scope::common, epoch);
    visitor.value("probe_step", Scope::common, probe_step);
  }
};

/// What a traffic channel is.
struct Channel {
  std::string part, collective;
};

/// Named texts that say where a run comes from: resolved deck, versions, host, ...
using Provenance = std::vector<std::pair<std::string, std::string>>;

}  // namespace minidad
