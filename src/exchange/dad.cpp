// SPDX-License-Identifier: BSD-3-Clause
#include "exchange/dad.hpp"

#include <fmt/format.h>

#include "exchange/blame.hpp"
#include "linalg/rows.hpp"

namespace minidad {

Dad::Dad(Communicator& comm, std::vector<LayerShape> const& shapes, std::size_t max_rows, Parameters gradient)
    : comm_(comm), shapes_(shapes), gradient_(std::move(gradient)), local_(shapes.size()) {
  for (std::size_t l = 0; l < shapes.size(); ++l)
    gathers_.emplace_back(comm, fmt::format("layer{}", l), max_rows, shapes[l].in + shapes[l].out);
}

void Dad::reduce(BackwardWalk& walk, RowLayout const& ranks) {
  auto const& space = walk.space();
  while (walk.next()) {
    {
      PhaseScope scope(walk.clock(), Phase::exchange, space);
      auto const [input, delta] = local_[walk.layer()] = walk.local();
      auto& gather = gathers_[walk.layer()];
      pack_rows(space, input, delta, gather.slot(ranks));
      gather.start(space, ranks);
    }
    walk.propagate();
    PhaseScope scope(walk.clock(), Phase::exchange, space);
    for (auto l = walk.layer(); l < gathers_.size(); ++l) gathers_[l].progress();
  }
  std::int64_t bad = 0;
  for (std::size_t l = gathers_.size(); l-- > 0;) {  // in the order in which they were posted
    Matrix all;
    {
      PhaseScope scope(walk.clock(), Phase::wait, space);
      all = gathers_[l].finish(space);
    }
    PhaseScope scope(walk.clock(), Phase::backward, space);
    bad += count_not_finite(space, all);
    auto const [in, out, activation] = shapes_[l];
    form_gradient(space, {columns_of(all, 0, in), columns_of(all, in, in + out)}, gradient_.layer[l]);
  }
  if (bad > 0) blame_not_finite(space, comm_, local_);
}

ExchangeForecast Dad::forecast(std::vector<LayerShape> const& shapes, int ranks, std::size_t rows) {
  std::size_t width = 0;
  for (auto const& shape : shapes) width += shape.in + shape.out;
  auto const bytes = rows * width * sizeof(Real);
  return {
      .method = "dad", .bytes_per_step = allgather_bytes(ranks, static_cast<double>(bytes) / ranks), .memory = bytes};
}

}  // namespace minidad
