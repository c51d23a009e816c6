// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/for_each_element.hpp"
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
  auto const block = settings.exchange.deterministic ? static_cast<std::size_t>(settings.exchange.row_block) : 1;
  if (auto const blocks = (batch + block - 1) / block; n > blocks)
    refuse(fmt::format("{} ranks cannot share {} blocks of exchange.row_block = {} rows (training.batch = {})", n,
                       blocks, block, batch));
  return {train, test, layer_shapes(settings.model, train.width, static_cast<std::size_t>(settings.data.classes)),
          block};
}

Stretch test_stretch(std::size_t total, int rank, int ranks) {
  auto const r = static_cast<std::size_t>(rank), n = static_cast<std::size_t>(ranks);
  return {total * r / n, total * (r + 1) / n};
}

namespace {

void print_banner(Communicator const& comm, Settings const& settings, Problem const& problem) {
  if (comm.rank() != 0) return;
  fmt::print("{}\n", version_text(comm));
  fmt::print("run       {} on {} ranks{}, {} training samples, batch {}, {} parameters\n", settings.exchange.method,
             comm.size(), settings.exchange.deterministic ? ", deterministic" : "", problem.train.samples,
             settings.training.batch, parameter_count(problem.shapes));
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

void run(Communicator& comm, Options const& options) {
  auto const settings = agreed_settings(comm, options);
  auto const seed = static_cast<std::uint64_t>(settings.training.seed);
  auto const rank = static_cast<std::size_t>(comm.rank());
  ExecSpace const space;
  comm.choose_transfer(settings.comm.transfer == "device" ? Transfer::device : Transfer::staged, space);

  Problem problem;
  Dataset train, test;
  comm.agree([&] { problem = pose_problem(settings, comm.size()); });
  print_banner(comm, settings, problem);
  BatchPlan const plan(problem.train.samples, static_cast<std::size_t>(settings.training.batch),
                       static_cast<std::size_t>(comm.size()), problem.row_block);
  comm.agree([&] {
    train = read_dataset(space, settings.data, Subset::train, seed,
                         {plan.samples_of(rank), [&](std::size_t i) { return plan.place(i, rank); }});
    auto const [first, last] = test_stretch(problem.test.samples, comm.rank(), comm.size());
    test =
        read_dataset(space, settings.data, Subset::test, seed,
                     {last - first, [&](std::size_t i) { return i >= first && i < last ? i - first : last - first; }});
  });

  auto const max_rows = plan.ranks_at(0).rows_of(rank);
  BatchLoader const train_loader(std::move(train), settings.data, max_rows);
  BatchLoader const test_loader(std::move(test), settings.data, max_rows);
  Network const network(problem.shapes, seed, space);
  Parameters const gradient("gradient", problem.shapes);
  Sgd optimiser(settings.optimiser, gradient.flat.extent(0));
  auto const exchange = make_exchange(settings.exchange, comm, problem.shapes, plan.deal().batch, gradient);
  PhaseClock clock;
  Trainer trainer({space, comm, clock, network, gradient, *exchange, optimiser, plan, train_loader, test_loader},
                  settings.training, settings.schedule);

  std::vector<Channel> channels;
  for (auto const& entry : comm.traffic().entries()) channels.push_back({entry.part, entry.collective});
  RunFile file(comm, settings.output.file, settings.output.overwrite, provenance(comm, settings, options.command),
               channels);
  Progress progress(options.progress, comm.rank() == 0, trainer.total_steps(), static_cast<double>(plan.deal().batch));
  auto const summary = trainer.run({.step =
                                        [&](StepRecord const& record) {
                                          file.append(record);
                                          progress.step(record);
                                        },
                                    .epoch =
                                        [&](EpochRecord const& record) {
                                          PhaseScope scope(clock, Phase::io, space);
                                          file.append(record);
                                          file.flush();
                                          progress.epoch(record);
                                        }});
  file.finish(summary);
  print_result(comm, summary, file.path());
}

}  // namespace minidad
