// SPDX-License-Identifier: BSD-3-Clause
#include "support/small_problem.hpp"

#include <algorithm>

#include "data/split.hpp"
#include "support/host_copy.hpp"

namespace minidad {

namespace {

Model model_of(SmallProblem::Options const& options) {
  if (options.layers.empty()) return dense_chain(options.shapes);
  return build_model(options.layers, options.ends, "test");
}

DataSettings data_settings(SmallProblem::Options const& options) {
  DataSettings settings{.source = "synthetic", .mean = 0.5, .deviation = 0.29};
  auto const model = model_of(options);
  if (!options.layers.empty() && options.layers.front().starts_with("embedding")) {  // bytes as they are: ids
    settings.mean = 0;
    settings.deviation = 1 / 255.0;
  }
  settings.features = static_cast<std::int64_t>(model.input().size());
  settings.classes = static_cast<std::int64_t>(model.output().channels);
  settings.train_samples = static_cast<std::int64_t>(options.samples);
  settings.split = options.split;
  return settings;
}

BatchLoader loader(ExecSpace const& space, BatchPlan const& plan, std::size_t rank,
                   SmallProblem::Options const& options) {
  auto const settings = data_settings(options);
  return {read_dataset(space, settings, Subset::train, 7, training_share(space, settings, 7, plan, rank)), settings,
          options.batch};
}

std::size_t block(SmallProblem::Options const& options) {
  return options.exchange.deterministic ? static_cast<std::size_t>(options.exchange.row_block) : 1;
}

SmallProblem::Walked walked(SmallProblem& problem, BatchPlan const& plan, std::size_t rank, BatchLoader const& loader,
                            std::size_t epoch, std::size_t step) {
  auto const& space = problem.space;
  TapeMemory const memory(problem.model, problem.options.batch);
  SmallProblem::Walked result{memory, memory.tape(plan.blocks_at(step, rank)),
                              Labels("minidad::test::label", problem.options.batch)};
  auto const& tape = result.tape;
  loader.load(space, plan, rank, static_cast<std::uint64_t>(problem.options.training.seed), epoch, step, tape.input,
              result.label);
  auto const pass = problem.pass(tape, plan.ranks_at(step).offset[rank], step);
  problem.network.forward(pass, tape);
  SoftmaxCrossEntropy(problem.options.batch)
      .evaluate(space, tape.output, result.label, 1.0 / static_cast<double>(plan.ranks_at(step).rows()),
                tape.output_delta);
  BackwardWalk walk(pass, problem.clock, problem.network, tape);
  while (walk.next()) walk.propagate();
  return result;
}

/// Of the loss divided by `rows`.
std::vector<Real> gradient_of(
    SmallProblem& problem, BatchPlan const& plan, std::size_t rank, BatchLoader const& loader, std::size_t epoch,
    std::size_t step, std::size_t rows, Exchange* exchange,
    std::function<void(Tape const&)> const& before = [](Tape const&) {}) {
  auto const& space = problem.space;
  TapeMemory const memory(problem.model, problem.options.batch);
  auto const tape = memory.tape(plan.blocks_at(step, rank));
  Labels const label("minidad::test::label", problem.options.batch);
  SoftmaxCrossEntropy loss(problem.options.batch);
  loader.load(space, plan, rank, static_cast<std::uint64_t>(problem.options.training.seed), epoch, step, tape.input,
              label);
  auto const pass = problem.pass(tape, plan.ranks_at(step).offset[rank], step);
  auto const& steps = problem.network.steps();
  for (std::size_t s = 0; s < steps.size(); ++s) {
    if (auto const l = steps[s].parameters; l && exchange != nullptr)
      exchange->observe(space, problem.clock, plan.ranks_at(step), *l, tape.stats[*l].input);
    problem.network.forward_step(pass, tape, s);
  }
  loss.evaluate(space, tape.output, label, 1.0 / static_cast<double>(rows), tape.output_delta);
  before(tape);
  BackwardWalk walk(pass, problem.clock, problem.network, tape);
  if (exchange != nullptr) {
    exchange->reduce(walk, plan.ranks_at(step));
  } else {
    while (walk.next()) {
      walk.form_gradient(problem.gradient.layer[walk.layer()]);
      walk.propagate();
    }
  }
  return host_copy(problem.gradient.flat);
}

}  // namespace

SmallProblem::SmallProblem(Communicator& comm_given, Options const& given)
    : options(given),
      model(model_of(given)),
      comm(comm_given),
      rank(static_cast<std::size_t>(comm.rank())),
      plan(options.samples, options.batch, static_cast<std::size_t>(comm.size()), block(options)),
      network(model, 5, space),
      gradient("gradient", model.shapes()),
      exchange(make_exchange(options.exchange, comm, model.shapes(), options.batch, gradient, 1)),
      optimiser(options.optimiser, gradient.flat.extent(0)),
      train(loader(space, plan, rank, options)),
      probe(options.probe.every == 0
                ? nullptr
                : std::make_unique<Probe>(options.probe, comm, network, gradient, plan.ranks_at(0))),
      trainer(
          {space, comm, clock, network, gradient, *exchange, optimiser, plan, train, train, probe.get()},
          [&] {
            auto training = options.training;
            training.batch = static_cast<std::int64_t>(options.batch);
            return training;
          }(),
          options.schedule) {}

Pass SmallProblem::pass(Tape const& tape, std::size_t first_row, std::size_t step) const {
  return {.space = space,
          .blocks = tape.blocks,
          .training = true,
          .seed = static_cast<std::uint64_t>(options.training.seed),
          .step = step,
          .first_row = first_row};
}

SmallProblem::Walked SmallProblem::own_rows(std::size_t epoch, std::size_t step) {
  return walked(*this, plan, rank, train, epoch, step);
}

SmallProblem::Walked SmallProblem::rows_of_all_ranks(std::size_t epoch, std::size_t step) {
  BatchPlan const alone(options.samples, options.batch, 1);
  return walked(*this, alone, 0, loader(space, alone, 0, options), epoch, step);
}

std::vector<Real> SmallProblem::exchanged_gradient(std::size_t epoch, std::size_t step) {
  return gradient_of(*this, plan, rank, train, epoch, step, plan.ranks_at(step).rows(), exchange.get());
}

std::vector<Real> SmallProblem::own_gradient(std::size_t epoch, std::size_t step) {
  auto const rows = std::max<std::size_t>(1, plan.ranks_at(step).rows_of(rank));
  return gradient_of(*this, plan, rank, train, epoch, step, rows, nullptr);
}

std::vector<Real> SmallProblem::pooled_gradient_in_blocks(std::size_t epoch, std::size_t step, std::size_t block) {
  BatchPlan const alone(options.samples, options.batch, 1, block);
  return gradient_of(*this, alone, 0, loader(space, alone, 0, options), epoch, step, alone.ranks_at(step).rows(),
                     nullptr);
}

void SmallProblem::exchange_poisoned(std::size_t epoch, std::size_t step,
                                     std::function<void(Tape const&)> const& poison) {
  gradient_of(*this, plan, rank, train, epoch, step, plan.ranks_at(step).rows(), exchange.get(), poison);
}

}  // namespace minidad
