// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/phases.hpp"

namespace minidad {

// What a run tells about itself: plain values that the trainer fills, progress shows and the run file keeps.

/// One entry of the time series. Means and sums are over the steps since the previous entry.
struct StepRecord {
  std::int64_t step = 0;   ///< steps done so far
  std::int64_t epoch = 0;  ///< the one this step belongs to, from 1
  double loss = 0;         ///< training loss, mean over all ranks' rows, nats
  double accuracy = 0;     ///< training accuracy, in [0, 1]
  double learning_rate = 0;
  PhaseSeconds seconds{};              ///< of this rank
  std::vector<double> bytes_sent;      ///< of this rank, per traffic channel
  std::vector<std::int64_t> messages;  ///< likewise
};

struct EpochRecord {
  std::int64_t epoch = 0;  ///< epochs done so far
  double test_loss = 0;    ///< nats
  double test_accuracy = 0;
  double training_seconds = 0;  ///< since the start, without evaluation and output
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

/// What a traffic channel is.
struct Channel {
  std::string part, collective;
};

/// Named texts that say where a run comes from: resolved deck, versions, host, ...
using Provenance = std::vector<std::pair<std::string, std::string>>;

}  // namespace minidad
