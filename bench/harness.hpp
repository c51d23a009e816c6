// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <vector>

#include "data/batch_loader.hpp"
#include "exchange/exchange.hpp"
#include "linalg/gemm.hpp"
#include "timing.hpp"
#include "train/trainer.hpp"

namespace minidad::bench {

/// The network of the reference job.
inline std::vector<DenseShape> const reference_shapes{
    {784, 1024, Activation::relu}, {1024, 1024, Activation::relu}, {1024, 10, Activation::identity}};

/// A trainer on synthetic data, with everything that it stands on.
class Job {
 public:
  Job(Communicator& comm, std::vector<DenseShape> const& shapes, std::size_t batch, ExchangeSettings const& exchange,
      OptimiserSettings const& optimiser, ProbeSettings const& probe = {})
      : comm_(comm),
        plan_(16 * batch, batch, static_cast<std::size_t>(comm.size()),
              exchange.deterministic ? static_cast<std::size_t>(exchange.row_block) : 1),
        network_(dense_chain(shapes), 1, space_),
        gradient_("gradient", network_.shapes()),
        exchange_(make_exchange(exchange, comm, network_.shapes(), batch, gradient_, 1)),
        optimiser_(optimiser, gradient_.flat.extent(0)),
        train_(dataset(shapes), {}, batch),
        probe_(probe.every == 0 ? nullptr
                                : std::make_unique<Probe>(probe, comm, network_, gradient_, plan_.ranks_at(0))),
        trainer_(
            {space_, comm_, clock_, network_, gradient_, *exchange_, optimiser_, plan_, train_, train_, probe_.get()},
            {.batch = static_cast<std::int64_t>(batch)}, {.rate = 1e-3}) {}

  void step() {
    trainer_.step(0, static_cast<std::size_t>(next_++ % 16));
    fence(space_, "minidad::bench::step");
  }
  PhaseClock& clock() { return clock_; }
  Network const& network() const { return network_; }

 private:
  Dataset dataset(std::vector<DenseShape> const& shapes) const {
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
  Optimiser optimiser_;
  BatchLoader train_;
  std::unique_ptr<Probe> probe_;
  Trainer trainer_;
  std::int64_t next_ = 0;
};

/// The products of one step, and nothing else: what no implementation can leave out.
class StepProducts {
 public:
  StepProducts(std::vector<DenseShape> const& shapes, std::size_t rows)
      : shapes_(dense_chain(shapes).shapes()),
        memory_(dense_chain(shapes), rows),
        tape_(memory_.tape({{0, rows}})),
        weight_("weight", shapes_),
        gradient_("gradient", shapes_) {}

  void run() const {
    for (std::size_t l = 0; l < shapes_.size(); ++l)
      gemm(space_, Op::none, Op::none, 1, tape_.place[l].in, weight_.layer[l].weight(), 0, tape_.place[l].out);
    for (std::size_t l = shapes_.size(); l-- > 0;) {
      gemm(space_, Op::transpose, Op::none, 1, tape_.place[l].in, tape_.place[l].delta_out, 0,
           gradient_.layer[l].weight());
      if (l > 0)
        gemm(space_, Op::none, Op::transpose, 1, tape_.place[l].delta_out, weight_.layer[l].weight(), 0,
             tape_.place[l].delta_in);
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

}  // namespace minidad::bench
