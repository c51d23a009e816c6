// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>

#include "data/batch_loader.hpp"
#include "exchange/exchange.hpp"
#include "io/records.hpp"
#include "nn/loss.hpp"
#include "train/optimiser.hpp"
#include "train/probe.hpp"
#include "train/schedule.hpp"

namespace minidad {

struct TrainingSettings {
  std::int64_t epochs = 10;
  std::int64_t batch = 128;                 ///< rows of the global batch, over all ranks
  std::int64_t seed = 1;                    ///< of weights, shuffling and synthetic data
  std::int64_t check_replicas_every = 100;  ///< steps; 0: never
  std::int64_t record_every = 10;           ///< steps
};

/// What a Trainer works with. All of it outlives the Trainer.
struct TrainerParts {
  ExecSpace const& space;
  Communicator& comm;
  PhaseClock& clock;
  Network const& network;
  Parameters const& gradient;  ///< where the exchange leaves its result
  Exchange& exchange;
  Sgd& optimiser;
  BatchPlan const& plan;
  BatchLoader const& train;
  BatchLoader const& test;
  Probe* probe = nullptr;  ///< if there is one
};

/// Hears of progress, on every rank alike.
struct Observer {
  std::function<void(StepRecord const&)> step = [](StepRecord const&) {};
  std::function<void(EpochRecord const&)> epoch = [](EpochRecord const&) {};
  std::function<void(ProbeRecord const&)> probe = [](ProbeRecord const&) {};
};

/// The training loop. Everything here is collective.
class Trainer {
 public:
  Trainer(TrainerParts const& parts, TrainingSettings const& settings, ScheduleSettings const& schedule);

  TrainingSummary run(Observer const& observer);

  /// One step: load, forward, loss, exchange, update. Nothing in it allocates or looks at the device from the host.
  void step(std::size_t epoch, std::size_t step_of_epoch);
  /// Loss and accuracy on the test samples, all ranks together: the mean over every rank's samples, each by its own
  /// parameters. When the exchange does not replicate, give each rank all test samples: then it is the mean over
  /// models.
  EpochRecord evaluate(std::int64_t epoch);

  std::int64_t steps_done() const { return steps_done_; }
  std::int64_t total_steps() const {
    return settings_.epochs * static_cast<std::int64_t>(parts_.plan.steps_per_epoch());
  }

 private:
  void train_epoch(std::int64_t epoch, Observer const& observer);
  bool probe_is_due() const { return parts_.probe != nullptr && parts_.probe->due(steps_done_); }
  StepRecord record(std::int64_t epoch);
  void expect_replicas() const;  // where there should be any
  void forget_traffic();         // what was sent before the run is not the run's

  TrainerParts parts_;
  TrainingSettings settings_;
  Schedule schedule_;
  std::size_t rank_;
  TapeMemory memory_;
  std::array<Tape, 2> tapes_;  // for full and for left-over batches
  Labels label_;
  SoftmaxCrossEntropy loss_, test_loss_;
  double rate_ = 0, training_seconds_ = 0;
  std::int64_t steps_done_ = 0, samples_done_ = 0;
  std::vector<double> sent_before_;  // per traffic entry, at the last record
  std::vector<std::int64_t> messages_before_;
};

}  // namespace minidad
