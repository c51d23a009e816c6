// SPDX-License-Identifier: BSD-3-Clause
#include "train/trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/memory.hpp"
#include "exchange/blame.hpp"
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
      memory_(parts.network.model(), std::max<std::size_t>(1, parts.plan.ranks_at(0).rows_of(rank_))),
      tapes_{memory_.tape(parts.plan.blocks_at(0, rank_)),
             memory_.tape(parts.plan.blocks_at(parts.plan.steps_per_epoch() - 1, rank_))},
      labels_(parts.network.model().output().places()),
      label_("minidad::train::label", memory_.max_samples() * labels_),
      loss_(memory_.max_samples() * labels_),
      test_loss_(memory_.max_samples() * labels_),
      norm_(parts.gradient.flat.extent(0), parts.optimiser.settings().clip_norm),
      sums_(parts.comm, 4),
      consensus_(parts.exchange.replicates() ? nullptr : std::make_unique<Consensus>(parts.comm)) {}

void Trainer::step(std::size_t epoch, std::size_t step_of_epoch) {
  auto const& [space, comm, clock, network, gradient, exchange, optimiser, plan, train, test, probe] = parts_;
  auto const& ranks = plan.ranks_at(step_of_epoch);
  auto const& tape = tapes_[step_of_epoch < plan.deal().full_steps() ? 0 : 1];
  auto const pass = this->pass(tape, ranks);
  auto const rows = ranks.rows() * labels_;
  {
    PhaseScope scope(clock, Phase::forward, space);
    train.load(space, plan, rank_, static_cast<std::uint64_t>(settings_.seed), epoch, step_of_epoch, tape.input,
               label_);
    forward(pass, tape, ranks);
    // The mean over the rows of all ranks: from here on, gradients of parts of the batch just add up.
    loss_.evaluate(space, tape.output, label_, 1.0 / static_cast<double>(rows), tape.output_delta);
    sums_.start(std::array{loss_.last_batch(space), wishes_.stop ? 1.0 : 0.0, wishes_.save ? 1.0 : 0.0,
                           wishes_.show ? 1.0 : 0.0});
  }
  BackwardWalk walk(pass, clock, network, tape);
  try {
    exchange.reduce(walk, ranks);  // the only place where ranks speak of training
  } catch (AgreedError const& error) {
    sums_.finish();
    throw AgreedError(error.code(), fmt::format("step {}: {}", steps_done_ + 1, error.what()));
  }
  {
    PhaseScope scope(clock, Phase::wait, space);
    take_sums(tape, rows);
  }
  if (probe_is_due()) {
    PhaseScope scope(clock, Phase::probe, space);
    probe->measure(pass, steps_done_ + 1, ranks, tape, label_, exchange);
  }
  PhaseScope scope(clock, Phase::update, space);
  rate_ = schedule_.rate(steps_done_);
  if (norm_.clips() || record_is_due(steps_done_ + 1)) norm_.measure(space, gradient.flat);
  auto const bad = optimiser.update(space, rate_, gradient.flat, network.parameters().flat, norm_.factor());
  // Where each rank has a model of its own, the others learn of it from the loss of the next step.
  if (bad > 0 && exchange.replicates()) blame(tape);
  ++steps_done_;
  samples_done_ += static_cast<std::int64_t>(ranks.rows());
}

Pass Trainer::pass(Tape const& tape, RowLayout const& ranks) const {
  return {.space = parts_.space,
          .blocks = tape.blocks,
          .training = true,
          .seed = static_cast<std::uint64_t>(settings_.seed),
          .step = static_cast<std::uint64_t>(steps_done_),
          .first_row = ranks.offset[rank_]};
}

/// Exchanges hear of every layer's input as soon as it is there.
void Trainer::forward(Pass const& pass, Tape const& tape, RowLayout const& ranks) {
  auto const& network = parts_.network;
  for (std::size_t s = 0; s < network.steps().size(); ++s) {
    if (auto const layer = network.steps()[s].parameters)
      parts_.exchange.observe(pass.space, parts_.clock, ranks, *layer, tape.stats[*layer].input);
    network.forward_step(pass, tape, s);
  }
}

/// What all ranks know of the step by now.
void Trainer::take_sums(Tape const& tape, std::size_t rows) {
  auto const sums = sums_.finish();
  agreed_ = {.stop = sums[1] > 0, .save = sums[2] > 0, .show = sums[3] > 0};
  double const loss = sums[0] / static_cast<double>(rows);
  if (!std::isfinite(loss)) blame(tape);
  if (first_loss_ == 0) first_loss_ = loss;
  if (settings_.explosion > 0 && loss > settings_.explosion * first_loss_)
    throw AgreedError(
        ExitCode::not_finite,
        fmt::format("step {}: the loss is {:.3g}, that of the first step was {:.3g}: training has diverged "
                    "(failure.explosion = {})",
                    steps_done_ + 1, loss, first_loss_, settings_.explosion));
}

/// Something is not finite: whose, and where did it begin?
void Trainer::blame(Tape const& tape) const {
  try {
    blame_not_finite(parts_.space, parts_.comm, tape.stats);
  } catch (AgreedError const& error) {
    throw AgreedError(error.code(), fmt::format("step {}: {}", steps_done_ + 1, error.what()));
  }
}

void Trainer::forget_traffic() {
  auto const& traffic = parts_.comm.traffic();
  sent_before_.clear();
  messages_before_.clear();
  for (auto const& entry : traffic.entries()) {
    sent_before_.push_back(entry.sent);
    messages_before_.push_back(entry.messages);
  }
  exchanged_before_ = exchanged_bytes(traffic);
  carried_.sent.resize(sent_before_.size());
  carried_.messages.resize(messages_before_.size());
  parts_.clock.lap();
}

/// What was booked since is carried from now on.
void Trainer::carry_over() {
  auto const& traffic = parts_.comm.traffic();
  require(traffic.entries().size() == sent_before_.size(), "Trainer: traffic entries must not appear during a run");
  for (std::size_t i = 0; i < sent_before_.size(); ++i) {
    carried_.sent[i] += traffic.entries()[i].sent - sent_before_[i];
    carried_.messages[i] += traffic.entries()[i].messages - messages_before_[i];
  }
  carried_.exchanged += (exchanged_bytes(traffic) - exchanged_before_) / parts_.comm.size();
  auto const seconds = parts_.clock.lap();
  for (std::size_t p = 0; p < seconds.size(); ++p) carried_.seconds[p] += seconds[p];
  forget_traffic();
}

void Trainer::visit_state(StateVisitor& visitor) {
  if (visitor.loading() || sent_before_.empty())  // nothing is carried by who has not begun
    forget_traffic();
  else
    carry_over();
  auto const scope = parts_.exchange.replicates() ? Scope::common : Scope::own;
  {
    StateGroup const group(visitor, "trainer");
    visitor.value("steps", Scope::common, steps_done_);
    visitor.expect(steps_done_ >= 0 && steps_done_ <= total_steps(),
                   fmt::format("the state is that after {} steps; training.epochs = {} are {} steps", steps_done_,
                               settings_.epochs, total_steps()));
    visitor.value("samples", Scope::common, samples_done_);
    visitor.value("rate", Scope::common, rate_);
    visitor.value("first_loss", Scope::common, first_loss_);
    visitor.value("training_seconds", Scope::own, training_seconds_);
    visitor.value("test_loss", Scope::common, last_epoch_.test_loss);
    visitor.value("test_accuracy", Scope::common, last_epoch_.test_accuracy);
    loss_.visit_state(parts_.space, visitor);
    visitor.values("seconds", Scope::summand, carried_.seconds.data(), carried_.seconds.size());
    visitor.value("exchanged", Scope::summand, carried_.exchanged);
  }
  {
    StateGroup const group(visitor, "network");
    parts_.network.visit_state(visitor, scope);
  }
  {
    StateGroup const group(visitor, "optimiser");
    parts_.optimiser.visit_state(visitor, scope);
  }
  {
    StateGroup const group(visitor, "exchange");
    visitor.values("bytes_sent", Scope::summand, carried_.sent.data(), carried_.sent.size());
    visitor.values("messages", Scope::summand, carried_.messages.data(), carried_.messages.size());
    parts_.exchange.visit_state(visitor);
  }
  if (parts_.probe == nullptr) return;
  StateGroup const group(visitor, "probe");
  parts_.probe->visit_state(visitor);
}

StepRecord Trainer::record(std::int64_t epoch) {
  auto const mean = mean_over_ranks(parts_.comm, loss_.collect(parts_.space));
  carry_over();
  StepRecord record{.step = steps_done_,
                    .epoch = epoch,
                    .loss = mean.loss,
                    .accuracy = mean.accuracy,
                    .learning_rate = rate_,
                    .gradient_norm = norm_.value(parts_.space),
                    .seconds = std::exchange(carried_.seconds, {}),
                    .bytes_sent = carried_.sent,
                    .messages = carried_.messages,
                    .factor_width = {},
                    .certified_error = {}};
  std::fill(carried_.sent.begin(), carried_.sent.end(), 0.0);
  std::fill(carried_.messages.begin(), carried_.messages.end(), 0);
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
  for (std::size_t begin = 0; begin < parts_.test.samples(); begin += memory_.max_samples()) {
    auto const rows = std::min(memory_.max_samples(), parts_.test.samples() - begin);
    auto const tape = memory_.tape({{0, rows}});
    parts_.test.load_in_order(space, begin, tape.input, label_);
    parts_.network.forward(Network::evaluation(space, tape), tape);
    test_loss_.evaluate(space, tape.output, label_, 1.0, tape.output_delta);
  }
  auto const mean = mean_over_ranks(parts_.comm, test_loss_.collect(space));
  return {.epoch = epoch,
          .test_loss = mean.loss,
          .test_accuracy = mean.accuracy,
          .training_seconds = 0,
          .consensus_distance = consensus_ ? consensus_->distance(space, parts_.network.parameters().flat) : 0};
}

void Trainer::expect_replicas() const {
  if (parts_.exchange.replicates()) check_replicas(parts_.space, parts_.comm, parts_.network.parameters(), steps_done_);
}

/// One step, and what is due after it.
void Trainer::advance(Observer const& observer) {
  auto const start = std::chrono::steady_clock::now();
  bool const probed = probe_is_due();
  wishes_ = observer.wish();
  auto const epoch = steps_done_ / steps_per_epoch();
  step(static_cast<std::size_t>(epoch), static_cast<std::size_t>(steps_done_ % steps_per_epoch()));
  if (settings_.check_replicas_every > 0 && steps_done_ % settings_.check_replicas_every == 0) expect_replicas();
  bool const due = record_is_due(steps_done_);
  StepRecord const now = due ? record(epoch + 1) : StepRecord{};
  training_seconds_ += seconds_since(start);
  // The time of those who listen is not training time.
  if (probed) observer.probe(parts_.probe->record());
  if (due) observer.step(now);
  if (steps_done_ % steps_per_epoch() != 0) return;
  last_epoch_ = evaluate(epoch + 1);
  last_epoch_.training_seconds = training_seconds_;
  observer.epoch(last_epoch_);
}

TrainingSummary Trainer::run(Observer const& observer) {
  auto& comm = parts_.comm;
  forget_traffic();
  bool go_on = true;
  while (go_on && !done()) {
    advance(observer);
    go_on = observer.go_on(agreed_);
  }
  expect_replicas();

  carry_over();
  double sent[1] = {carried_.exchanged};
  double largest[2] = {training_seconds_, static_cast<double>(peak_memory())};
  comm.sum(std::span<double>(sent));
  comm.max(std::span<double>(largest));
  auto const steps = static_cast<double>(std::max<std::int64_t>(1, steps_done_));
  return {.steps = steps_done_,
          .parameters = static_cast<std::int64_t>(parts_.gradient.flat.extent(0)),
          .samples_per_second = steps_done_ > 0 ? static_cast<double>(samples_done_) / largest[0] : 0,
          .training_seconds = largest[0],
          .test_loss = last_epoch_.test_loss,
          .test_accuracy = last_epoch_.test_accuracy,
          .bytes_per_step = sent[0] / steps,
          .peak_memory = static_cast<std::int64_t>(largest[1]),
          .parameter_digest = digest(parts_.space, parts_.network.parameters().flat)};
}

}  // namespace minidad
