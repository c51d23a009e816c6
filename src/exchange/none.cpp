// SPDX-License-Identifier: BSD-3-Clause
#include "exchange/none.hpp"

#include "core/for_each_element.hpp"

namespace minidad {

namespace {

void scale(ExecSpace const& space, Real factor, Matrix const& x) {
  for_each_element(
      "minidad::exchange::scale", space, x.extent(0), x.extent(1),
      KOKKOS_LAMBDA(std::size_t row, std::size_t col) { x(row, col) *= factor; });
}

}  // namespace

None::None(Communicator const& comm, Parameters gradient)
    : rank_(static_cast<std::size_t>(comm.rank())), gradient_(std::move(gradient)) {}

void None::reduce(BackwardWalk& walk, RowLayout const& ranks) {
  auto const& space = walk.space();
  // Deltas come divided by the rows of all ranks. The walk is linear in them: what is mended at its start is mended
  // everywhere. Without rows there is nothing to mend, and the gradient is zero.
  auto const mine = ranks.rows_of(rank_);
  auto const factor = mine > 0 ? static_cast<double>(ranks.rows()) / static_cast<double>(mine) : 1;
  if (factor != 1) {
    PhaseScope scope(walk.clock(), Phase::backward, space);
    scale(space, static_cast<Real>(factor), walk.output_delta());
  }
  while (walk.next()) {
    {
      PhaseScope scope(walk.clock(), Phase::backward, space);
      walk.form_gradient(gradient_.layer[walk.layer()]);
    }
    walk.propagate();
  }
  if (factor == 1) return;
  PhaseScope scope(walk.clock(), Phase::backward, space);  // as they were: others look at them too
  for (auto const& stats : walk.all_local()) scale(space, static_cast<Real>(1 / factor), stats.delta);
}

ExchangeForecast None::forecast() { return {.method = "none", .bytes_per_step = 0, .memory = 0, .replicates = false}; }

}  // namespace minidad
