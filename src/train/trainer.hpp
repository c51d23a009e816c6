// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>

#include "comm/host_sum.hpp"
#include "data/batch_loader.hpp"
#include "exchange/exchange.hpp"
#include "io/records.hpp"
#include "nn/loss.hpp"
#include "train/consensus.hpp"
#include "train/gradient_norm.hpp"
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
  double explosion = 100;  ///< a loss larger than the first step's by this factor ends the run; 0: none
};

/// What a Trainer works with. All of it outlives the Trainer.
struct TrainerParts {
  ExecSpace const& space;
  Communicator& comm;
  PhaseClock& clock;
  Network& network;
  Parameters const& gradient;  ///< where the exchange leaves its result
  Exchange& exchange;
  Optimiser& optimiser;
  BatchPlan const& plan;
  BatchLoader const& train;
  BatchLoader const& test;
  Probe* probe = nullptr;  ///< if there is one
};

/// What to do after a step: the wish of one rank is enough.
struct Wishes {
  bool stop = false;  ///< end the run for now
  bool save = false;  ///< write a checkpoint
  bool show = false;  ///< bring the records so far to where others see them
};

/// Hears of progress, on every rank alike.
struct Observer {
  std::function<void(StepRecord const&)> step = [](StepRecord const&) {};
  std::function<void(EpochRecord const&)> epoch = [](EpochRecord const&) {};
  std::function<void(ProbeRecord const&)> probe = [](ProbeRecord const&) {};
  /// What this rank would like to happen after the step that begins.
  std::function<Wishes()> wish = [] { return Wishes{}; };
  /// After all that belongs to a step, with the wishes that all ranks agree on; false: this was the last one for now.
  std::function<bool(Wishes const&)> go_on = [](Wishes const& agreed) { return !agreed.stop; };
};

/// The training loop. Everything here is collective.
class Trainer {
 public:
  Trainer(TrainerParts const& parts, TrainingSettings const& settings, ScheduleSettings const& schedule);

  /// From where it stands to the end, or until it is told not to go on.
  TrainingSummary run(Observer const& observer);

  /// Everything that the rest of the run depends on, its records included: what is in the parts and here.
  void visit_state(StateVisitor& visitor);

  /// Throws AgreedError(not_finite) in the very step in which training goes astray, see TrainingSettings.
  /// One step: load, forward, loss, exchange, update. Nothing in it allocates or looks at the device from the host.
  void step(std::size_t epoch, std::size_t step_of_epoch);
  /// Loss and accuracy on the test samples, all ranks together: the mean over every rank's samples, each by its own
  /// parameters. When the exchange does not replicate, give each rank all test samples: then it is the mean over
  /// models.
  EpochRecord evaluate(std::int64_t epoch);

  std::int64_t steps_done() const { return steps_done_; }
  bool done() const { return steps_done_ == total_steps(); }
  std::int64_t total_steps() const {
    return settings_.epochs * static_cast<std::int64_t>(parts_.plan.steps_per_epoch());
  }

 private:
  std::int64_t steps_per_epoch() const { return static_cast<std::int64_t>(parts_.plan.steps_per_epoch()); }
  void advance(Observer const& observer);
  Pass pass(Tape const& tape, RowLayout const& ranks) const;
  void forward(Pass const& pass, Tape const& tape, RowLayout const& ranks);
  void take_sums(Tape const& tape, std::size_t rows);
  [[noreturn]] void blame(Tape const& tape) const;
  bool record_is_due(std::int64_t steps) const { return steps % settings_.record_every == 0 || steps == total_steps(); }
  bool probe_is_due() const { return parts_.probe != nullptr && parts_.probe->due(steps_done_); }
  StepRecord record(std::int64_t epoch);
  void expect_replicas() const;  // where there should be any
  void forget_traffic();         // what was sent before the run is not the run's
  void carry_over();

  TrainerParts parts_;
  TrainingSettings settings_;
  Schedule schedule_;
  std::size_t rank_;
  TapeMemory memory_;
  std::array<Tape, 2> tapes_;  // for full and for left-over batches
  std::size_t labels_;         // a sample
  Labels label_;
  SoftmaxCrossEntropy loss_, test_loss_;
  GradientNorm norm_;
  HostSum sums_;            // of each step: loss, wishes
  Wishes wishes_, agreed_;  // of this rank; of all
  double first_loss_ = 0;   // mean over the rows of the first step
  double rate_ = 0, training_seconds_ = 0;
  std::int64_t steps_done_ = 0, samples_done_ = 0;
  EpochRecord last_epoch_;
  std::unique_ptr<Consensus> consensus_;  // of ranks that do not replicate
  double exchanged_before_ = 0;           // bytes, when the run began or its state was last saved
  std::vector<double> sent_before_;       // per traffic entry, at the last record or when the state was last saved
  std::vector<std::int64_t> messages_before_;
  /// What belongs to the next record, and to the summary, from before the state was last saved or loaded.
  struct Carried {
    std::vector<double> sent;
    std::vector<std::int64_t> messages;
    PhaseSeconds seconds{};
    double exchanged = 0;  // bytes, divided by the number of ranks
  } carried_;
};

}  // namespace minidad
