// SPDX-License-Identifier: BSD-3-Clause
#include "exchange/edad.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "exchange/blame.hpp"
#include "linalg/rows.hpp"

namespace minidad {

Edad::Edad(Communicator& comm, std::vector<LayerShape> const& shapes, std::size_t max_rows, Parameters gradient)
    : comm_(comm),
      gradient_(std::move(gradient)),
      output_delta_(comm, fmt::format("layer{}", shapes.size() - 1), max_rows, shapes.back().out),
      local_(shapes.size()) {
  for (std::size_t l = 0; l < shapes.size(); ++l) {
    inputs_.emplace_back(comm, fmt::format("layer{}", l), max_rows, shapes[l].in);
    if (l + 1 < shapes.size()) deltas_.emplace_back("minidad::exchange::all_deltas", max_rows, shapes[l].out);
  }
}

void Edad::observe(ExecSpace const& space, PhaseClock& clock, RowLayout const& ranks, std::size_t layer,
                   Matrix const& input) {
  PhaseScope scope(clock, Phase::exchange, space);
  local_[layer].input = input;
  copy_rows(space, input, inputs_[layer].slot(ranks));
  inputs_[layer].start(space, ranks);
  for (std::size_t l = 0; l < layer; ++l) inputs_[l].progress();
}

void Edad::reduce(BackwardWalk& walk, RowLayout const& ranks) {
  auto const& space = walk.space();
  one_block_.offset[1] = ranks.rows();  // the same on every rank, and for any number of ranks
  Matrix delta;
  std::int64_t bad = 0;
  while (walk.next()) {
    auto const l = walk.layer();
    if (l == deltas_.size()) {  // the last layer, where the walk begins
      {
        PhaseScope scope(walk.clock(), Phase::exchange, space);
        local_[l].delta = walk.local().delta;  // those of hidden layers are nobody's own
        copy_rows(space, local_[l].delta, output_delta_.slot(ranks));
        output_delta_.start(space, ranks);
      }
      PhaseScope scope(walk.clock(), Phase::wait, space);
      delta = output_delta_.finish(space);
      bad = count_not_finite(space, delta);
    }
    Matrix input;
    {
      PhaseScope scope(walk.clock(), Phase::wait, space);
      input = inputs_[l].finish(space);
    }
    LayerStats const all{input, delta};
    {
      PhaseScope scope(walk.clock(), Phase::backward, space);
      bad += count_not_finite(space, input);
      walk.form_gradient(l, all, gradient_.layer[l]);
    }
    if (l == 0) continue;
    delta = first_rows(deltas_[l - 1], ranks.rows());
    walk.propagate(all, one_block_, delta);
  }
  if (bad > 0) blame_not_finite(space, comm_, local_);
}

void Edad::expect_dense_chain(std::vector<LayerShape> const& shapes, char const* what) {
  for (std::size_t l = 0; l < shapes.size(); ++l)
    if (!shapes[l].dense)
      refuse(fmt::format("{} needs dense layers on plain features, one straight behind another; layer {} ({}) is none",
                         what, l, shapes[l].name));
}

ExchangeForecast Edad::forecast(std::vector<LayerShape> const& shapes, int ranks, std::size_t rows) {
  if (!is_dense_chain(shapes)) return {.method = "edad", .possible = false};
  std::size_t sent = shapes.back().out, recomputed = 0;
  for (std::size_t l = 0; l < shapes.size(); ++l) {
    sent += shapes[l].in;
    if (l + 1 < shapes.size()) recomputed += shapes[l].out;
  }
  auto const bytes = rows * sent * sizeof(Real);
  return {.method = "edad",
          .bytes_per_step = allgather_bytes(ranks, static_cast<double>(bytes) / ranks),
          .memory = bytes + rows * recomputed * sizeof(Real)};
}

}  // namespace minidad
