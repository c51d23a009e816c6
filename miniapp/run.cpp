// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <memory>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/for_each_element.hpp"
#include "data/split.hpp"
#include "io/run_file.hpp"
#include "options.hpp"
#include "progress.hpp"
#include "provenance.hpp"

namespace minidad {

Settings agreed_settings(Communicator& comm, Options const& options) {
  Settings settings;
  comm.agree([&] { settings = read_deck(options.deck, options.overrides); });
  std::uint64_t const mine[1] = {digest(resolved_deck(settings))};
  if (comm.first_difference(mine)) throw AgreedError(ExitCode::user, "the ranks were given different settings");
  return settings;
}

Problem pose_problem(Settings const& settings, int ranks) {
  auto const train = dataset_size(settings.data, Subset::train), test = dataset_size(settings.data, Subset::test);
  auto const batch = static_cast<std::size_t>(settings.training.batch);
  auto const n = static_cast<std::size_t>(ranks);
  if (train.width != test.width)
    refuse(fmt::format("training samples have {} features, test samples {}", train.width, test.width));
  if (train.samples < batch)
    refuse(fmt::format("training.batch = {} is more than the {} training samples", batch, train.samples));
  if (n > batch)
    refuse(fmt::format("{} ranks cannot share training.batch = {} rows; use at most {} ranks", n, batch, batch));
  if (settings.data.split == "class" && ranks > settings.data.classes)
    refuse(fmt::format("{} ranks cannot share data.classes = {} with data.split = \"class\"; use at most {} ranks", n,
                       settings.data.classes, settings.data.classes));
  auto const block = settings.exchange.deterministic ? static_cast<std::size_t>(settings.exchange.row_block) : 1;
  if (auto const blocks = (batch + block - 1) / block; n > blocks)
    refuse(fmt::format("{} ranks cannot share {} blocks of exchange.row_block = {} rows (training.batch = {})", n,
                       blocks, block, batch));
  auto shapes = layer_shapes(settings.model, train.width, static_cast<std::size_t>(settings.data.classes));
  Probe::check(settings.probe, shapes, BatchPlan(train.samples, batch, n, block).ranks_at(0));
  return {train, test, std::move(shapes), block};
}

Stretch test_stretch(std::size_t total, int rank, int ranks, bool replicates) {
  if (!replicates) return {0, total};
  auto const r = static_cast<std::size_t>(rank), n = static_cast<std::size_t>(ranks);
  return {total * r / n, total * (r + 1) / n};
}

namespace {

void print_banner(Communicator const& comm, Settings const& settings, Problem const& problem) {
  if (comm.rank() != 0) return;
  fmt::print("{}\n", version_text(comm));
  fmt::print("run       {} on {} ranks{}, {} training samples{}, batch {}, {} parameters\n", settings.exchange.method,
             comm.size(), settings.exchange.deterministic ? ", deterministic" : "", problem.train.samples,
             settings.data.split == "class" ? " split by class" : "", settings.training.batch,
             parameter_count(problem.shapes));
  fmt::print("transfer  {}\n", on_host ? "host memory" : settings.comm.transfer);
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

}  // namespace

namespace {

/// Everything that a run works with, built from the bottom up. Building it does not communicate.
struct Job {
  Job(Communicator& comm, ExecSpace const& space, Settings const& settings, Problem const& problem)
      : plan(problem.train.samples, static_cast<std::size_t>(settings.training.batch),
             static_cast<std::size_t>(comm.size()), problem.row_block),
        train(read_train(comm, space, settings), settings.data, max_rows(comm)),
        network(problem.shapes, static_cast<std::uint64_t>(settings.training.seed), space),
        gradient("gradient", problem.shapes),
        optimiser(settings.optimiser, gradient.flat.extent(0)),
        exchange(make_exchange(settings.exchange, comm, problem.shapes, plan.deal().batch, gradient,
                               static_cast<std::uint64_t>(settings.training.seed))),
        test(read_test(comm, space, settings, problem, exchange->replicates()), settings.data, max_rows(comm)),
        probe(settings.probe.every == 0
                  ? nullptr
                  : std::make_unique<Probe>(settings.probe, comm, network, gradient, plan.ranks_at(0))),
        trainer({space, comm, clock, network, gradient, *exchange, optimiser, plan, train, test, probe.get()},
                settings.training, settings.schedule) {}

  BatchPlan plan;
  BatchLoader train;
  Network network;
  Parameters gradient;
  Sgd optimiser;
  std::unique_ptr<Exchange> exchange;
  BatchLoader test;
  std::unique_ptr<Probe> probe;
  PhaseClock clock;
  Trainer trainer;

 private:
  std::size_t max_rows(Communicator const& comm) const {
    return plan.ranks_at(0).rows_of(static_cast<std::size_t>(comm.rank()));
  }
  Dataset read_train(Communicator const& comm, ExecSpace const& space, Settings const& settings) const {
    auto const seed = static_cast<std::uint64_t>(settings.training.seed);
    return read_dataset(space, settings.data, Subset::train, seed,
                        training_share(space, settings.data, seed, plan, static_cast<std::size_t>(comm.rank())));
  }
  static Dataset read_test(Communicator const& comm, ExecSpace const& space, Settings const& settings,
                           Problem const& problem, bool replicates) {
    auto const [first, last] = test_stretch(problem.test.samples, comm.rank(), comm.size(), replicates);
    Keep const keep{last - first, [first = first, last = last](std::size_t i) {
                      return i >= first && i < last ? i - first : last - first;
                    }};
    return read_dataset(space, settings.data, Subset::test, static_cast<std::uint64_t>(settings.training.seed), keep);
  }
};

std::vector<Channel> channels(Traffic const& traffic) {
  std::vector<Channel> list;
  for (auto const& entry : traffic.entries()) list.push_back({entry.part, entry.collective});
  return list;
}

RecordShape record_shape(ProbeSettings const& settings, std::vector<LayerShape> const& shapes) {
  return {.layers = shapes.size(), .probe = settings.every > 0, .classes = settings.per_class ? shapes.back().out : 0};
}

}  // namespace

void run(Communicator& comm, Options const& options) {
  auto const settings = agreed_settings(comm, options);
  ExecSpace const space;
  comm.choose_transfer(settings.comm.transfer == "device" ? Transfer::device : Transfer::staged, space);

  Problem problem;
  std::unique_ptr<Job> job;
  comm.agree([&] { problem = pose_problem(settings, comm.size()); });
  print_banner(comm, settings, problem);
  comm.agree([&] { job = std::make_unique<Job>(comm, space, settings, problem); });

  RunFile file(comm, settings.output.file, settings.output.overwrite, provenance(comm, settings, options.command),
               channels(comm.traffic()), record_shape(settings.probe, problem.shapes));
  Progress progress(options.progress, comm.rank() == 0, job->trainer.total_steps(),
                    static_cast<double>(settings.training.batch));
  auto const on_step = [&](StepRecord const& record) {
    file.append(record);
    progress.step(record);
  };
  auto const on_epoch = [&](EpochRecord const& record) {
    PhaseScope scope(job->clock, Phase::io, space);
    file.append(record);
    file.flush();
    progress.epoch(record);
  };
  auto const on_probe = [&](ProbeRecord const& record) { file.append(record); };
  auto const summary = job->trainer.run({.step = on_step, .epoch = on_epoch, .probe = on_probe});
  file.finish(summary);
  print_result(comm, summary, file.path());
}

}  // namespace minidad
