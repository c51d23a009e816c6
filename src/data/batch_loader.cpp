// SPDX-License-Identifier: BSD-3-Clause
#include "data/batch_loader.hpp"

#include "core/error.hpp"
#include "core/for_each_element.hpp"

namespace minidad {

namespace {

using Chosen = Kokkos::View<std::uint32_t*, ExecSpace>;

struct Place {
  std::uint64_t seed;
  std::size_t epoch, step, first_lane, lanes, held;
};

void choose(ExecSpace const& space, Deal const& deal, Place const& at, std::size_t rows, Chosen const& chosen) {
  auto const first_left_over = deal.left_over_below(at.first_lane);
  bool const full = at.step < deal.full_steps();
  auto const first_row = full ? at.first_lane : first_left_over;
  Kokkos::parallel_for(
      "minidad::data::choose", Kokkos::RangePolicy<ExecSpace>(space, 0, rows), KOKKOS_LAMBDA(std::size_t row) {
        auto const lane = deal.lane_of(first_row + row, at.step);
        auto const k = deal.draw(at.seed, at.epoch, at.step, lane);
        auto const local = k < deal.full_steps()
                               ? k * at.lanes + lane - at.first_lane
                               : deal.full_steps() * at.lanes + deal.left_over_below(lane) - first_left_over;
        chosen(row) = static_cast<std::uint32_t>(local % at.held);
      });
}

void choose_in_order(ExecSpace const& space, std::size_t begin, std::size_t rows, Chosen const& chosen) {
  Kokkos::parallel_for(
      "minidad::data::choose_in_order", Kokkos::RangePolicy<ExecSpace>(space, 0, rows),
      KOKKOS_LAMBDA(std::size_t row) { chosen(row) = static_cast<std::uint32_t>(begin + row); });
}

void copy(ExecSpace const& space, Dataset const& dataset, Chosen const& chosen, Real scale, Real shift,
          Matrix const& input, Labels const& label) {
  auto const features = dataset.features;
  auto const known = dataset.label;
  for_each_element(
      "minidad::data::copy_features", space, input.extent(0), input.extent(1),
      KOKKOS_LAMBDA(std::size_t row, std::size_t col) {
        input(row, col) = static_cast<Real>(features(chosen(row), col)) * scale + shift;
      });
  Kokkos::parallel_for(
      "minidad::data::copy_labels", Kokkos::RangePolicy<ExecSpace>(space, 0, input.extent(0)),
      KOKKOS_LAMBDA(std::size_t row) { label(row) = known(chosen(row)); });
}

}  // namespace

BatchLoader::BatchLoader(Dataset dataset, DataSettings const& settings, std::size_t max_rows)
    : dataset_(std::move(dataset)),
      scale_(static_cast<Real>(1 / (255 * settings.deviation))),
      shift_(static_cast<Real>(-settings.mean / settings.deviation)),
      chosen_("minidad::data::chosen", max_rows) {}

void BatchLoader::load(ExecSpace const& space, BatchPlan const& plan, std::size_t rank, std::uint64_t seed,
                       std::size_t epoch, std::size_t step, Matrix const& input, Labels const& label) const {
  auto const rows = input.extent(0);
  require(rows == plan.ranks_at(step).rows_of(rank), "BatchLoader: the plan has another number of rows");
  require(samples() > 0, "BatchLoader: nothing to choose from");
  auto const first = plan.first_lane(rank);
  choose(space, plan.deal(), {seed, epoch, step, first, plan.last_lane(rank) - first, samples()}, rows, chosen_);
  copy(space, dataset_, chosen_, scale_, shift_, input, label);
}

void BatchLoader::load_in_order(ExecSpace const& space, std::size_t begin, Matrix const& input,
                                Labels const& label) const {
  require(begin + input.extent(0) <= samples(), "BatchLoader: past the last sample");
  choose_in_order(space, begin, input.extent(0), chosen_);
  copy(space, dataset_, chosen_, scale_, shift_, input, label);
}

}  // namespace minidad
