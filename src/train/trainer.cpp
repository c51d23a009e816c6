// SPDX-License-Identifier: BSD-3-Clause
#include "train/trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/memory.hpp"
#include "train/replica_check.hpp"

namespace minidad {

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Means {
  double loss, accuracy;
};

Means mean_over_ranks(Communicator& comm, LossSums const& mine) {
  double sums[3] = {mine.loss, static_cast<double>(mine.correct), static_cast<double>(mine.rows)};
  comm.sum(std::span<double>(sums));
  return {sums[0] / sums[2], sums[1] / sums[2]};
}

}  // namespace

Trainer::Trainer(TrainerParts const& parts, TrainingSettings const& settings, ScheduleSettings const& schedule)
    : parts_(parts),
      settings_(settings),
      schedule_(schedule, total_steps(), static_cast<std::int64_t>(parts.plan.steps_per_epoch())),
      rank_(static_cast<std::size_t>(parts.comm.rank())),
      memory_(parts.network.shapes(), std::max<std::size_t>(1, parts.plan.ranks_at(0).rows_of(rank_))),
      tapes_{memory_.tape(parts.plan.blocks_at(0, rank_)),
             memory_.tape(parts.plan.blocks_at(parts.plan.steps_per_epoch() - 1, rank_))},
      label_("minidad::train::label", memory_.max_rows()),
      loss_(memory_.max_rows()),
      test_loss_(memory_.max_rows()) {}

void Trainer::step(std::size_t epoch, std::size_t step_of_epoch) {
  auto const& [space, comm, clock, network, gradient, exchange, optimiser, plan, train, test, probe] = parts_;
  auto const& ranks = plan.ranks_at(step_of_epoch);
  auto const& tape = tapes_[step_of_epoch < plan.deal().full_steps() ? 0 : 1];
  {
    PhaseScope scope(clock, Phase::forward, space);
    train.load(space, plan, rank_, static_cast<std::uint64_t>(settings_.seed), epoch, step_of_epoch, tape.input(),
               label_);
    for (std::size_t l = 0; l < network.layers(); ++l) {
      exchange.observe(space, clock, ranks, l, tape.activation[l]);
      network.forward_layer(space, tape, l);
    }
    // The mean over the rows of all ranks: from here on, gradients of parts of the batch just add up.
    loss_.evaluate(space, tape.output(), label_, 1.0 / static_cast<double>(ranks.rows()), tape.output_delta());
  }
  BackwardWalk walk(space, clock, network, tape);
  try {
    exchange.reduce(walk, ranks);  // the only place where ranks speak of training
  } catch (AgreedError const& error) {
    throw AgreedError(error.code(), fmt::format("step {}: {}", steps_done_ + 1, error.what()));
  }
  if (probe_is_due()) {
    PhaseScope scope(clock, Phase::probe, space);
    probe->measure(space, steps_done_ + 1, ranks, tape, label_, exchange);
  }
  PhaseScope scope(clock, Phase::update, space);
  rate_ = schedule_.rate(steps_done_);
  optimiser.update(space, rate_, gradient.flat, network.parameters().flat);
  ++steps_done_;
  samples_done_ += static_cast<std::int64_t>(ranks.rows());
}

void Trainer::forget_traffic() {
  sent_before_.clear();
  messages_before_.clear();
  for (auto const& entry : parts_.comm.traffic().entries()) {
    sent_before_.push_back(entry.sent);
    messages_before_.push_back(entry.messages);
  }
}

StepRecord Trainer::record(std::int64_t epoch) {
  auto const mean = mean_over_ranks(parts_.comm, loss_.collect(parts_.space));
  StepRecord record{.step = steps_done_,
                    .epoch = epoch,
                    .loss = mean.loss,
                    .accuracy = mean.accuracy,
                    .learning_rate = rate_,
                    .seconds = parts_.clock.lap(),
                    .bytes_sent = {},
                    .messages = {},
                    .factor_width = {},
                    .certified_error = {}};
  auto const& entries = parts_.comm.traffic().entries();
  require(entries.size() == sent_before_.size(), "Trainer: traffic entries must not appear during a run");
  for (std::size_t i = 0; i < entries.size(); ++i) {
    record.bytes_sent.push_back(entries[i].sent - std::exchange(sent_before_[i], entries[i].sent));
    record.messages.push_back(entries[i].messages - std::exchange(messages_before_[i], entries[i].messages));
  }
  auto fidelity = parts_.exchange.fidelity();
  fidelity.resize(parts_.network.layers());  // an exact exchange has nothing to say
  for (auto const& [width, error] : fidelity) {
    record.factor_width.push_back(width);
    record.certified_error.push_back(error);
  }
  return record;
}

EpochRecord Trainer::evaluate(std::int64_t epoch) {
  auto const& space = parts_.space;
  for (std::size_t begin = 0; begin < parts_.test.samples(); begin += memory_.max_rows()) {
    auto const rows = std::min(memory_.max_rows(), parts_.test.samples() - begin);
    auto const tape = memory_.tape({{0, rows}});
    parts_.test.load_in_order(space, begin, tape.input(), label_);
    parts_.network.forward(space, tape);
    test_loss_.evaluate(space, tape.output(), label_, 1.0, tape.output_delta());
  }
  auto const mean = mean_over_ranks(parts_.comm, test_loss_.collect(space));
  return {.epoch = epoch, .test_loss = mean.loss, .test_accuracy = mean.accuracy, .training_seconds = 0};
}

void Trainer::expect_replicas() const {
  if (parts_.exchange.replicates()) check_replicas(parts_.space, parts_.comm, parts_.network.parameters(), steps_done_);
}

void Trainer::train_epoch(std::int64_t epoch, Observer const& observer) {
  auto start = std::chrono::steady_clock::now();
  for (std::size_t s = 0; s < parts_.plan.steps_per_epoch(); ++s) {
    bool const probed = probe_is_due();
    step(static_cast<std::size_t>(epoch), s);
    if (probed) observer.probe(parts_.probe->record());
    if (settings_.check_replicas_every > 0 && steps_done_ % settings_.check_replicas_every == 0) expect_replicas();
    if (steps_done_ % settings_.record_every != 0 && steps_done_ != total_steps()) continue;
    auto const now = record(epoch + 1);
    training_seconds_ += seconds_since(start);
    observer.step(now);  // its time is not training time
    start = std::chrono::steady_clock::now();
  }
  training_seconds_ += seconds_since(start);
}

TrainingSummary Trainer::run(Observer const& observer) {
  auto& comm = parts_.comm;
  double const sent_before = exchanged_bytes(comm.traffic());
  EpochRecord result;
  forget_traffic();
  parts_.clock.lap();
  for (std::int64_t epoch = 0; epoch < settings_.epochs; ++epoch) {
    train_epoch(epoch, observer);
    result = evaluate(epoch + 1);
    result.training_seconds = training_seconds_;
    observer.epoch(result);
  }
  expect_replicas();

  double sent[1] = {exchanged_bytes(comm.traffic()) - sent_before};
  double largest[2] = {training_seconds_, static_cast<double>(peak_memory())};
  comm.sum(std::span<double>(sent));
  comm.max(std::span<double>(largest));
  auto const steps = static_cast<double>(std::max<std::int64_t>(1, steps_done_));
  return {.steps = steps_done_,
          .parameters = static_cast<std::int64_t>(parts_.gradient.flat.extent(0)),
          .samples_per_second = steps_done_ > 0 ? static_cast<double>(samples_done_) / largest[0] : 0,
          .training_seconds = largest[0],
          .test_loss = result.test_loss,
          .test_accuracy = result.test_accuracy,
          .bytes_per_step = sent[0] / comm.size() / steps,
          .peak_memory = static_cast<std::int64_t>(largest[1]),
          .parameter_digest = digest(parts_.space, parts_.network.parameters().flat)};
}

}  // namespace minidad
