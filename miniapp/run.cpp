// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <span>

#include "config/job.hpp"
#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/for_each_element.hpp"
#include "core/kokkos_compat.hpp"
#include "data/split.hpp"
#include "io/run_file.hpp"
#include "keeper.hpp"
#include "options.hpp"
#include "progress.hpp"
#include "provenance.hpp"
#include "restart.hpp"
#include "showing.hpp"
#include "stopping.hpp"

namespace minidad {

Settings agreed_settings(Communicator& comm, Options const& options) {
  Settings settings;
  comm.agree([&] { settings = read_deck(options.deck, options.overrides); });
  std::uint64_t const mine[1] = {digest(resolved_deck(settings))};
  if (comm.first_difference(mine)) throw AgreedError(ExitCode::user, "the ranks were given different settings");
  return settings;
}

namespace {

/// "0 1 2 3 0 1 ...": the device that each rank's kernels run on. Collective.
std::string device_ids(Communicator& comm) {
  constexpr std::size_t shown = 16;
  std::int32_t const mine[1] = {device_id()};
  std::vector<std::int32_t> all(static_cast<std::size_t>(comm.size()));
  comm.all_gather(std::as_bytes(std::span(mine)), std::as_writable_bytes(std::span(all)));
  auto const text = fmt::format("{}", fmt::join(std::span(all).first(std::min(all.size(), shown)), " "));
  return all.size() > shown ? text + " ..." : text;
}

/// Collective; rank 0 prints.
void print_banner(Communicator& comm, Settings const& settings, Problem const& problem) {
  auto const devices = device_ids(comm);
  if (comm.rank() != 0) return;
  fmt::print("{}\n", version_text(comm));
  fmt::print("run       {} on {} ranks{}, {} training samples{}, batch {}, {} parameters\n", settings.exchange.method,
             comm.size(), settings.exchange.deterministic ? ", deterministic" : "", problem.train.samples,
             settings.data.split == "iid" ? "" : fmt::format(" split by {}", settings.data.split),
             settings.training.batch, parameter_count(problem.model.shapes()));
  if (on_host)
    fmt::print("transfer  host memory\n");
  else
    fmt::print(
        "devices   {} for ranks 0, 1, ...; {} seen by rank 0\n"
        "transfer  {}\n",
        devices, device_count(),
        settings.comm.transfer == "device" ? "device pointers, tried" : "staged through host memory");
  std::fflush(stdout);
}

void print_result(Communicator const& comm, TrainingSummary const& result, std::string const& path) {
  if (comm.rank() != 0) return;
  fmt::print("test accuracy      {:.2f} %\n", 100 * result.test_accuracy);
  fmt::print("training time      {:.2f} s for {} steps\n", result.training_seconds, result.steps);
  fmt::print("sent               {:.0f} bytes per rank and step\n", result.bytes_per_step);
  fmt::print("peak memory        {:.1f} MiB on the largest rank\n",
             static_cast<double>(result.peak_memory) / (1 << 20));
  fmt::print("parameter digest   {:016x}\n", result.parameter_digest);
  fmt::print("run file           {}\n", path);
  fmt::print("Figure of Merit (FOM): {:.2f}\n", result.samples_per_second);
  std::fflush(stdout);
}

std::vector<Channel> channels(Traffic const& traffic) {
  std::vector<Channel> list;
  for (auto const& entry : traffic.entries()) list.push_back({entry.part, entry.collective});
  return list;
}

RecordShape record_shape(ProbeSettings const& settings, std::vector<LayerShape> const& shapes) {
  return {.layers = shapes.size(), .probe = settings.every > 0, .classes = settings.per_class ? shapes.back().out : 0};
}

/// Of all ranks, (ranks, classes); none where samples have several labels.
std::vector<std::int64_t> class_counts(Communicator& comm, Dataset const& train, std::size_t classes) {
  if (train.labels > 1) return {};
  std::vector<std::int64_t> counts(static_cast<std::size_t>(comm.size()) * classes, 0);
  auto const mine = count_classes(train.label, classes);
  std::copy(mine.begin(), mine.end(), &counts[static_cast<std::size_t>(comm.rank()) * classes]);
  comm.sum(std::span<std::int64_t>(counts));
  return counts;
}

/// What a run is known by, from its first start through all restarts.
std::string fresh_run_id(Communicator& comm) {
  std::random_device device;
  std::uint32_t parts[4] = {device(), device(), device(), device()};
  comm.broadcast(std::as_writable_bytes(std::span(parts)));
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", parts[0], parts[1], parts[2], parts[3]);
}

/// Whether a run that has come to its last step has its file as well.
bool is_finished(Communicator& comm, Job const& job, std::string const& path, std::string const& run_id) {
  std::int64_t finished[1] = {comm.rank() == 0 && job.trainer.done() && RunFile::is_of(path, run_id)};
  comm.sum(std::span<std::int64_t>(finished));
  return finished[0] > 0;
}

/// Loads what a checkpoint holds; returns what the run file must know of it.
FormerRun load(Checkpoint& checkpoint, Trainer& trainer, std::vector<std::string> const& begun_anew) {
  FormerRun former{checkpoint.text("run_id"), {}};
  checkpoint.load(
      [&](StateVisitor& visitor) {
        trainer.visit_state(visitor);
        former.records.visit_state(visitor);
      },
      begun_anew);
  return former;
}

void say(Communicator const& comm, std::string const& text) {
  if (comm.rank() != 0) return;
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

/// A run with its files, from the start or from a checkpoint.
class Run {
 public:
  Run(Communicator& comm, Options const& options, Settings const& settings, Stopping& stopping)
      : comm_(comm), options_(options), settings_(settings), stopping_(stopping) {
    comm_.set_stall_limit(settings.failure.stall_seconds);
    comm_.choose_transfer(settings.comm.transfer == "device" ? Transfer::device : Transfer::staged, space_);
    comm_.agree([&] { problem_ = pose_problem(settings, comm.size()); });
    print_banner(comm, settings, problem_);
    comm_.agree([&] { job_ = std::make_unique<Job>(comm, space_, settings, problem_); });
  }

  /// Trains to the end, or until it is told to stop.
  ExitCode go(std::unique_ptr<Checkpoint> checkpoint, std::vector<std::string> const& begun_anew) {
    auto& trainer = job_->trainer;
    std::optional<FormerRun> former;
    std::string id, restarts;
    if (checkpoint) {
      former = load(*checkpoint, trainer, begun_anew);
      id = former->id;
      restarts = fmt::format("{}{} from step {} of {} ranks\n", checkpoint->text("restarts"), utc_now(),
                             trainer.steps_done(), checkpoint->ranks());
      checkpoint.reset();
    } else {
      id = fresh_run_id(comm_);
    }
    if (is_finished(comm_, *job_, settings_.output.file, id)) {
      say(comm_, fmt::format("restart   nothing is left to do: {} is complete", settings_.output.file));
      return ExitCode::done;
    }
    auto const origin =
        provenance(comm_, settings_, problem_.model,
                   {.command = options_.command, .id = id, .restarts = restarts, .total_steps = trainer.total_steps()});
    RunFile file(comm_, {.path = settings_.output.file,
                         .overwrite = settings_.output.overwrite,
                         .provenance = origin,
                         .channels = channels(comm_.traffic()),
                         .shape = record_shape(settings_.probe, problem_.model.shapes()),
                         .former = former,
                         .class_counts = class_counts(comm_, job_->train.dataset(), problem_.train.classes)});
    Keeper keeper(
        comm_, settings_, origin, [&](StateVisitor& visitor) { trainer.visit_state(visitor); }, file);
    keeper.abandon_later(trainer.steps_done());
    return train(file, keeper);
  }

 private:
  ExitCode train(RunFile& file, Keeper& keeper) {
    auto& trainer = job_->trainer;
    Progress progress(options_.progress, comm_.rank() == 0, trainer.steps_done(), trainer.total_steps(),
                      static_cast<double>(settings_.training.batch));
    std::string saved;
    Showing show(settings_.output.show_seconds, comm_.rank() == 0);
    Observer const observer{.step =
                                [&](StepRecord const& record) {
                                  file.append(record);
                                  progress.step(record);
                                },
                            .epoch =
                                [&](EpochRecord const& record) {
                                  PhaseScope scope(job_->clock, Phase::io, space_);
                                  file.append(record);
                                  file.flush();
                                  progress.epoch(record);
                                },
                            .probe = [&](ProbeRecord const& record) { file.append(record); },
                            .wish =
                                [&] {
                                  auto wishes = stopping_.wishes();
                                  wishes.show = show.due();
                                  return wishes;
                                },
                            .go_on =
                                [&](Wishes const& agreed) {
                                  auto const step = trainer.steps_done();
                                  bool const stop = agreed.stop && !trainer.done();
                                  if (agreed.show) {
                                    PhaseScope scope(job_->clock, Phase::io, space_);
                                    show(file);
                                  }
                                  if (!stop && !agreed.save && !keeper.due(step, trainer.done())) return true;
                                  PhaseScope scope(job_->clock, Phase::io, space_);
                                  saved = keeper.save(step);
                                  stopping_.saved();
                                  progress.note(fmt::format("checkpoint {}", saved));
                                  return !stop;
                                }};
    try {
      auto const summary = trainer.run(observer);
      if (!trainer.done()) return stopped(saved);
      file.finish(summary);
      print_result(comm_, summary, file.path());
      return ExitCode::done;
    } catch (AgreedError const& error) {
      if (error.code() != ExitCode::not_finite) throw;
      throw AgreedError(error.code(), fmt::format("{}; the state is kept in {}", error.what(),
                                                  keeper.save_evidence(trainer.steps_done())));
    }
  }

  ExitCode stopped(std::string const& saved) const {
    auto const why = stopping_.reason();
    say(comm_,
        fmt::format("stopped after step {} of {}{}; go on with: minidad run --restart {}", job_->trainer.steps_done(),
                    job_->trainer.total_steps(), why.empty() ? "" : " by " + why, saved));
    return ExitCode::requeue;
  }

  Communicator& comm_;
  Options const& options_;
  Settings const& settings_;
  Stopping& stopping_;
  ExecSpace space_;
  Problem problem_;
  std::unique_ptr<Job> job_;
};

}  // namespace

ExitCode run(Communicator& comm, Options const& options) {
  auto beginning = settle_beginning(comm, options);
  double seconds = 0;
  comm.agree([&] { seconds = options.time_limit.empty() ? 0 : seconds_of(options.time_limit); });
  auto const folder = std::filesystem::path(beginning.settings.output.file).parent_path();
  Stopping stopping(seconds, folder, comm.rank() == 0);
  for (std::int64_t rollback = 1;; ++rollback) {
    auto settings = beginning.settings;
    auto const& failure = settings.failure;
    try {
      return Run(comm, options, settings, stopping).go(std::move(beginning.checkpoint), beginning.begun_anew);
    } catch (AgreedError const& error) {
      bool const again = failure.policy == "rollback" && rollback <= failure.rollbacks;
      if (error.code() != ExitCode::not_finite || !again) throw;
      settings.schedule.rate *= failure.rollback_rate;
      say(comm, fmt::format("rollback  {} of {}: {}", rollback, failure.rollbacks, error.what()));
      beginning = take_up_again(comm, settings);
    }
  }
}

}  // namespace minidad
