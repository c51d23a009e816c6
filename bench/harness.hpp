// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "comm/session.hpp"
#include "data/batch_loader.hpp"
#include "exchange/exchange.hpp"
#include "linalg/gemm.hpp"
#include "train/trainer.hpp"

namespace minidad::bench {

/// What every benchmark can be told, from the command line.
struct Arguments {
  std::size_t batch;
  int rounds;
  std::string only = "";  ///< of several cases, those whose names hold this
};

/// main() of a benchmark: `body(comm, arguments)` on every rank.
template <class Body>
int run_bench(int argc, char** argv, Arguments const& defaults, Body const& body) {
  return run_session(argc, argv, [&](Communicator& comm, int n, char** args) {
    body(comm, Arguments{n > 1 ? std::strtoul(args[1], nullptr, 10) : defaults.batch,
                         n > 2 ? std::atoi(args[2]) : defaults.rounds, n > 3 ? args[3] : ""});
    return 0;
  });
}

/// The network of the reference job.
inline std::vector<LayerShape> const reference_shapes{
    {784, 1024, Activation::relu}, {1024, 1024, Activation::relu}, {1024, 10, Activation::identity}};

inline double seconds(auto const& work) {
  auto const start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

inline double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

/// A trainer on synthetic data, with everything that it stands on.
class Job {
 public:
  Job(Communicator& comm, std::vector<LayerShape> shapes, std::size_t batch, ExchangeSettings const& exchange,
      OptimiserSettings const& optimiser, ProbeSettings const& probe = {})
      : comm_(comm),
        plan_(16 * batch, batch, static_cast<std::size_t>(comm.size()),
              exchange.deterministic ? static_cast<std::size_t>(exchange.row_block) : 1),
        network_(shapes, 1, space_),
        gradient_("gradient", shapes),
        exchange_(make_exchange(exchange, comm, shapes, batch, gradient_, 1)),
        sgd_(optimiser, gradient_.flat.extent(0)),
        train_(dataset(shapes), {}, batch),
        probe_(probe.every == 0 ? nullptr
                                : std::make_unique<Probe>(probe, comm, network_, gradient_, plan_.ranks_at(0))),
        trainer_({space_, comm_, clock_, network_, gradient_, *exchange_, sgd_, plan_, train_, train_, probe_.get()},
                 {.batch = static_cast<std::int64_t>(batch)}, {.rate = 1e-3}) {}

  void step() {
    trainer_.step(0, static_cast<std::size_t>(next_++ % 16));
    fence(space_, "minidad::bench::step");
  }
  PhaseClock& clock() { return clock_; }
  Network const& network() const { return network_; }

 private:
  Dataset dataset(std::vector<LayerShape> const& shapes) const {
    auto const rank = static_cast<std::size_t>(comm_.rank());
    DataSettings settings{.source = "synthetic"};
    settings.features = static_cast<std::int64_t>(shapes.front().in);
    settings.classes = static_cast<std::int64_t>(shapes.back().out);
    settings.train_samples = static_cast<std::int64_t>(plan_.deal().samples);
    return read_dataset(space_, settings, Subset::train, 1,
                        {plan_.samples_of(rank), [&](std::size_t i) { return plan_.place(i, rank); }});
  }

  ExecSpace space_;
  Communicator& comm_;
  PhaseClock clock_;
  BatchPlan plan_;
  Network network_;
  Parameters gradient_;
  std::unique_ptr<Exchange> exchange_;
  Sgd sgd_;
  BatchLoader train_;
  std::unique_ptr<Probe> probe_;
  Trainer trainer_;
  std::int64_t next_ = 0;
};

/// The products of one step, and nothing else: what no implementation can leave out.
class StepProducts {
 public:
  StepProducts(std::vector<LayerShape> const& shapes, std::size_t rows)
      : shapes_(shapes),
        memory_(shapes, rows),
        tape_(memory_.tape({{0, rows}})),
        weight_("weight", shapes),
        gradient_("gradient", shapes) {}

  void run() const {
    for (std::size_t l = 0; l < shapes_.size(); ++l)
      gemm(space_, Op::none, Op::none, 1, tape_.activation[l], weight_.layer[l].weight, 0, tape_.activation[l + 1]);
    for (std::size_t l = shapes_.size(); l-- > 0;) {
      gemm(space_, Op::transpose, Op::none, 1, tape_.activation[l], tape_.delta[l], 0, gradient_.layer[l].weight);
      if (l > 0)
        gemm(space_, Op::none, Op::transpose, 1, tape_.delta[l], weight_.layer[l].weight, 0, tape_.delta[l - 1]);
    }
    fence(space_, "minidad::bench::products");
  }
  double flops() const {
    double sum = 0;
    for (std::size_t l = 0; l < shapes_.size(); ++l)
      sum += (l > 0 ? 6.0 : 4.0) * static_cast<double>(tape_.blocks.rows() * shapes_[l].in * shapes_[l].out);
    return sum;
  }

 private:
  ExecSpace space_;
  std::vector<LayerShape> shapes_;
  TapeMemory memory_;
  Tape tape_;
  Parameters weight_, gradient_;
};

/// Copies a vector larger than the caches; bandwidth counts bytes read and written.
class Copy {
 public:
  double bytes() const { return 2.0 * static_cast<double>(from_.extent(0) * sizeof(Real)); }
  void run() const;

 private:
  ExecSpace space_;
  Vector from_{"minidad::bench::from", std::size_t{24} << 20}, to_{"minidad::bench::to", std::size_t{24} << 20};
};

inline void copy_vector(ExecSpace const& space, Vector const& from, Vector const& to) {
  Kokkos::parallel_for(
      "minidad::bench::copy", Kokkos::RangePolicy<ExecSpace>(space, 0, from.extent(0)),
      KOKKOS_LAMBDA(std::size_t i) { to(i) = from(i); });
  fence(space, "minidad::bench::copy");
}
inline void Copy::run() const { copy_vector(space_, from_, to_); }

}  // namespace minidad::bench
