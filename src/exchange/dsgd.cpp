// SPDX-License-Identifier: BSD-3-Clause
#include "exchange/dsgd.hpp"

#include <fmt/format.h>

namespace minidad {

Dsgd::Dsgd(Communicator& comm, std::vector<LayerShape> const& shapes, std::size_t bucket_bytes, Parameters gradient)
    : gradient_(std::move(gradient)) {
  std::size_t end = gradient_.flat.extent(0);  // a bucket is a stretch of the flat gradient: nothing to pack
  std::size_t begin = end;
  std::vector<SumInPlace::Part> parts;
  for (std::size_t l = shapes.size(); l-- > 0;) {
    begin -= shapes[l].size();
    parts.insert(parts.begin(), {fmt::format("layer{}", l), shapes[l].size()});
    if ((end - begin) * sizeof(Real) < bucket_bytes && l > 0) continue;
    buckets_.push_back({l, SumInPlace(comm, Kokkos::subview(gradient_.flat, Kokkos::make_pair(begin, end)), parts)});
    end = begin;
    parts.clear();
  }
}

void Dsgd::reduce(BackwardWalk& walk, RowLayout const&) {
  auto const& space = walk.space();
  auto next = buckets_.begin();
  while (walk.next()) {
    {
      PhaseScope scope(walk.clock(), Phase::backward, space);
      walk.form_gradient(gradient_.layer[walk.layer()]);
    }
    if (walk.layer() == next->lowest_layer) {
      PhaseScope scope(walk.clock(), Phase::exchange, space);
      (next++)->sum.start(space);
    }
    walk.propagate();
    PhaseScope scope(walk.clock(), Phase::exchange, space);
    for (auto posted = buckets_.begin(); posted != next; ++posted) posted->sum.progress();
  }
  PhaseScope scope(walk.clock(), Phase::wait, space);
  for (auto& bucket : buckets_) bucket.sum.finish(space);
}

ExchangeForecast Dsgd::forecast(std::vector<LayerShape> const& shapes, int ranks) {
  auto const bytes = static_cast<double>(parameter_count(shapes) * sizeof(Real));
  return {.method = "dsgd", .bytes_per_step = allreduce_bytes(ranks, bytes), .memory = 0};
}

}  // namespace minidad
