// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <memory>

#include "config/problem.hpp"
#include "config/settings.hpp"
#include "train/trainer.hpp"

namespace minidad {

/// What an exchange is made of, see make_exchange.
struct ExchangeParts {
  ExchangeSettings const& settings;
  Communicator& comm;
  std::vector<LayerShape> const& shapes;
  std::size_t max_rows;        ///< of a global batch
  Parameters const& gradient;  ///< where its results go
  std::uint64_t seed;
};
using ExchangeMaker = std::function<std::unique_ptr<Exchange>(ExchangeParts const&)>;

/// Everything that a run works with, built from the bottom up from its settings: read the settings, make a Job, and
/// `job.trainer.run({})` trains. Building it does not communicate, but may fail on some ranks only (files, memory): do
/// it in Communicator::agree.
struct Job {
  /// The exchange is the one of the settings, or what `maker` makes: a method that minidad does not have.
  Job(Communicator& comm, ExecSpace const& space, Settings const& settings, Problem const& problem,
      ExchangeMaker const& maker = {});

  BatchPlan plan;
  BatchLoader train;
  Network network;
  Parameters gradient;
  Optimiser optimiser;
  std::unique_ptr<Exchange> exchange;
  BatchLoader test;
  std::unique_ptr<Probe> probe;  ///< if the settings want one
  PhaseClock clock;
  Trainer trainer;
};

}  // namespace minidad
