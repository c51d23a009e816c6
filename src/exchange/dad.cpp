// SPDX-License-Identifier: BSD-3-Clause
#include "exchange/dad.hpp"

#include <fmt/format.h>

#include "exchange/blame.hpp"
#include "linalg/rows.hpp"

namespace minidad {

namespace {

std::vector<ExactPart::Share> no_products(std::vector<LayerShape> const& shapes) {
  std::vector<ExactPart::Share> share;
  for (auto const& shape : shapes)
    share.push_back(shape.has_product() ? ExactPart::Share::nothing : ExactPart::Share::all);
  return share;
}

}  // namespace

Dad::Dad(Communicator& comm, std::vector<LayerShape> const& shapes, std::size_t max_rows, Parameters gradient)
    : comm_(comm),
      shapes_(shapes),
      gradient_(std::move(gradient)),
      gathers_(shapes.size()),
      rest_(shapes, no_products(shapes)),
      message_("minidad::exchange::rest", rest_.size()) {
  for (std::size_t l = 0; l < shapes.size(); ++l) {
    if (!shapes[l].has_product()) continue;
    auto const& wire = shapes[l].wire;
    gathers_[l] = std::make_unique<RowGather>(comm, fmt::format("layer{}", l), max_rows * wire.rows, wire.in + wire.out,
                                              wire.rows);
  }
  rest_.place(message_);
  if (message_.size() > 0) sum_ = std::make_unique<SumInPlace>(comm, message_, rest_.parts());
}

void Dad::reduce(BackwardWalk& walk, RowLayout const& ranks) {
  auto const& space = walk.space();
  while (walk.next()) {
    {
      PhaseScope scope(walk.clock(), Phase::exchange, space);
      rest_.form(walk);
      if (auto const& gather = gathers_[walk.layer()]) {
        auto const& [input, delta] = walk.local();
        pack_rows(space, input, delta, gather->slot(ranks));
        gather->start(space, ranks);
      }
    }
    walk.propagate();
    PhaseScope scope(walk.clock(), Phase::exchange, space);
    for (auto l = walk.layer(); l < gathers_.size(); ++l)
      if (gathers_[l]) gathers_[l]->progress();
  }
  if (sum_) {
    PhaseScope scope(walk.clock(), Phase::exchange, space);
    sum_->start(space);
  }
  std::int64_t bad = 0;
  for (std::size_t l = gathers_.size(); l-- > 0;) {  // in the order in which they were posted
    if (!gathers_[l]) continue;
    Matrix all;
    {
      PhaseScope scope(walk.clock(), Phase::wait, space);
      all = gathers_[l]->finish(space);
    }
    PhaseScope scope(walk.clock(), Phase::backward, space);
    bad += count_not_finite(space, all);
    auto const& [rows, in, out] = shapes_[l].wire;
    walk.form_gradient(l, {columns_of(all, 0, in), columns_of(all, in, in + out)}, gradient_.layer[l]);
  }
  if (sum_) {
    {
      PhaseScope scope(walk.clock(), Phase::wait, space);
      sum_->finish(space);
    }
    PhaseScope scope(walk.clock(), Phase::exchange, space);
    bad += count_not_finite(space, Matrix(message_.data(), 1, message_.size()));
    rest_.deliver(space, gradient_);
  }
  if (bad > 0) blame_not_finite(space, comm_, walk.all_local());
}

ExchangeForecast Dad::forecast(std::vector<LayerShape> const& shapes, int ranks, std::size_t rows) {
  std::size_t width = 0;
  for (auto const& shape : shapes) width += shape.wire.size();
  auto const bytes = rows * width * sizeof(Real), rest = ExactPart(shapes, no_products(shapes)).size() * sizeof(Real);
  return {.method = "dad",
          .bytes_per_step = allgather_bytes(ranks, static_cast<double>(bytes) / ranks) +
                            allreduce_bytes(ranks, static_cast<double>(rest)),
          .memory = bytes + rest};
}

}  // namespace minidad
