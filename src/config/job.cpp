// SPDX-License-Identifier: BSD-3-Clause
#include "config/job.hpp"

#include "data/split.hpp"

namespace minidad {

namespace {

std::uint64_t seed_of(Settings const& settings) { return static_cast<std::uint64_t>(settings.training.seed); }

std::size_t max_rows(BatchPlan const& plan, Communicator const& comm) {
  return plan.ranks_at(0).rows_of(static_cast<std::size_t>(comm.rank()));
}

Dataset read_train(Communicator const& comm, ExecSpace const& space, Settings const& settings, BatchPlan const& plan) {
  auto const seed = seed_of(settings);
  return read_dataset(space, settings.data, Subset::train, seed,
                      training_share(space, settings.data, seed, plan, static_cast<std::size_t>(comm.rank())));
}

Dataset read_test(Communicator const& comm, ExecSpace const& space, Settings const& settings, Problem const& problem,
                  bool replicates) {
  auto const [first, last] = test_stretch(problem.test.samples, comm.rank(), comm.size(), replicates);
  Keep const keep{last - first, [first = first, last = last](std::size_t i) {
                    return i >= first && i < last ? i - first : last - first;
                  }};
  return read_dataset(space, settings.data, Subset::test, seed_of(settings), keep);
}

std::unique_ptr<Exchange> make(ExchangeParts const& parts, ExchangeMaker const& maker) {
  return maker ? maker(parts)
               : make_exchange(parts.settings, parts.comm, parts.shapes, parts.max_rows, parts.gradient, parts.seed);
}

}  // namespace

Job::Job(Communicator& comm, ExecSpace const& space, Settings const& settings, Problem const& problem,
         ExchangeMaker const& maker)
    : plan(problem.train.samples, static_cast<std::size_t>(settings.training.batch),
           static_cast<std::size_t>(comm.size()), problem.row_block),
      train(read_train(comm, space, settings, plan), settings.data, max_rows(plan, comm)),
      network(problem.model, seed_of(settings), space),
      gradient("gradient", problem.model.shapes()),
      optimiser(settings.optimiser, gradient.flat.extent(0)),
      exchange(make({settings.exchange, comm, problem.model.shapes(), plan.deal().batch, gradient, seed_of(settings)},
                    maker)),
      test(read_test(comm, space, settings, problem, exchange->replicates()), settings.data, max_rows(plan, comm)),
      probe(settings.probe.every == 0
                ? nullptr
                : std::make_unique<Probe>(settings.probe, comm, network, gradient, plan.ranks_at(0))),
      trainer({space, comm, clock, network, gradient, *exchange, optimiser, plan, train, test, probe.get()},
              settings.training, settings.schedule) {}

}  // namespace minidad
