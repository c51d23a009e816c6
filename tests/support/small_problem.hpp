// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "data/batch_loader.hpp"
#include "exchange/exchange.hpp"
#include "linalg/factors.hpp"
#include "nn/layer_list.hpp"
#include "train/trainer.hpp"

namespace minidad {

/// A network with data, small enough to think about, trained by `comm`'s ranks.
struct SmallProblem {
  struct Options {
    std::vector<DenseShape> shapes{{12, 9, Activation::tanh}, {9, 7, Activation::relu}, {7, 4, Activation::identity}};
    std::vector<std::string> layers{};  ///< instead of them, between `ends`
    ModelEnds ends{};
    std::size_t samples = 53, batch = 14;  // a ragged last batch of 11 rows
    std::string split = "iid";
    ExchangeSettings exchange{};
    OptimiserSettings optimiser{};
    TrainingSettings training{.epochs = 2, .seed = 3};
    ScheduleSettings schedule{.rate = 0.1};
    ProbeSettings probe{};
  };
  SmallProblem(Communicator& comm, Options const& options);

  Options options;
  Model model;
  Communicator& comm;
  std::size_t rank;
  ExecSpace space;
  PhaseClock clock;
  BatchPlan plan;
  Network network;
  Parameters gradient;
  std::unique_ptr<Exchange> exchange;
  Optimiser optimiser;
  BatchLoader train;
  std::unique_ptr<Probe> probe;  // if its settings say so
  Trainer trainer;

  /// A training pass over a batch that begins at `first_row` of the global one.
  Pass pass(Tape const& tape, std::size_t first_row, std::size_t step) const;

  /// A batch after its backward pass, without any exchange: every layer's A and D, and the labels.
  struct Walked {
    TapeMemory memory;
    Tape tape;
    Labels label;
    Factors factors(std::size_t layer) const { return tape.stats[layer]; }
  };
  Walked own_rows(std::size_t epoch, std::size_t step);
  Walked rows_of_all_ranks(std::size_t epoch, std::size_t step);
  /// An exchange in which `poison` changes the tape between forward and backward, as a broken kernel would.
  void exchange_poisoned(std::size_t epoch, std::size_t step, std::function<void(Tape const&)> const& poison);

  /// The gradient of the global batch at `step` of `epoch`, through the exchange.
  std::vector<Real> exchanged_gradient(std::size_t epoch, std::size_t step);
  /// The mean gradient of this rank's rows of it, without any exchange; zero where there are none.
  std::vector<Real> own_gradient(std::size_t epoch, std::size_t step);
  /// The gradient of the global batch from all rows on this rank alone, without any exchange.
  std::vector<Real> pooled_gradient(std::size_t epoch, std::size_t step) {
    return pooled_gradient_in_blocks(epoch, step, 1);
  }
  /// ... with the products of each `block` of rows formed by themselves, and the gradient from rows [A | D] side by
  /// side.
  std::vector<Real> pooled_gradient_in_blocks(std::size_t epoch, std::size_t step, std::size_t block);
};

}  // namespace minidad
