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

using Move = Kokkos::View<std::int32_t* [3], ExecSpace>;

/// From 0 to n - 1.
KOKKOS_INLINE_FUNCTION std::int32_t below(std::uint32_t word, std::int64_t n) {
  return static_cast<std::int32_t>(std::uint64_t{word} * static_cast<std::uint64_t>(n) >> 32);
}

/// Of rows [first, first + rows) of a global batch; `number` counts the rows of all batches of an epoch before it.
void draw_moves(ExecSpace const& space, std::uint64_t seed, std::size_t epoch, std::size_t number, std::int64_t shift,
                bool flip, std::size_t rows, Move const& move) {
  Kokkos::parallel_for(
      "minidad::data::draw_moves", Kokkos::RangePolicy<ExecSpace>(space, 0, rows), KOKKOS_LAMBDA(std::size_t row) {
        Words4 const words = philox(seed, Stream::augmentation, static_cast<std::uint32_t>(epoch), number + row);
        for (int axis = 0; axis < 2; ++axis)
          move(row, axis) = below(words.x[axis], 2 * shift + 1) - static_cast<std::int32_t>(shift);
        move(row, 2) = flip ? below(words.x[2], 2) : 0;
      });
}

void copy_labels(ExecSpace const& space, Labels const& known, std::size_t labels, Chosen const& chosen,
                 std::size_t rows, Labels const& label) {
  Kokkos::parallel_for(
      "minidad::data::copy_labels", Kokkos::RangePolicy<ExecSpace>(space, 0, rows * labels),
      KOKKOS_LAMBDA(std::size_t i) { label(i) = known(chosen(i / labels) * labels + i % labels); });
}

/// input <- gain from + offset, `from` being bytes or numbers.
template <class From>
void copy_as_is(ExecSpace const& space, From const& from, Dataset const& dataset, Chosen const& chosen,
                Matrix const& input) {
  auto const gain = dataset.gain, offset = dataset.offset;
  auto const channels = gain.extent(0);
  if (channels == 1)  // needs no division, and vectorises
    return for_each_element(
        "minidad::data::copy_features", space, input.extent(0), input.extent(1),
        KOKKOS_LAMBDA(std::size_t row, std::size_t col) {
          input(row, col) = static_cast<Real>(from(chosen(row), col)) * gain(0) + offset(0);
        });
  for_each_element(
      "minidad::data::copy_features", space, input.extent(0), input.extent(1),
      KOKKOS_LAMBDA(std::size_t row, std::size_t col) {
        input(row, col) = static_cast<Real>(from(chosen(row), col)) * gain(col % channels) + offset(col % channels);
      });
}

template <class From>
void copy_moved(ExecSpace const& space, From const& from, Dataset const& dataset, Chosen const& chosen,
                Move const& move, Matrix const& input) {
  auto const gain = dataset.gain, offset = dataset.offset;
  auto const scales = gain.extent(0);
  auto const height = static_cast<std::int64_t>(dataset.shape.height),
             width = static_cast<std::int64_t>(dataset.shape.width),
             channels = static_cast<std::int64_t>(dataset.shape.channels);
  for_each_element(
      "minidad::data::copy_moved", space, input.extent(0), input.extent(1),
      KOKKOS_LAMBDA(std::size_t row, std::size_t col) {
        auto const at = static_cast<std::int64_t>(col), c = at % channels;
        std::int64_t const y = at / channels / width - move(row, 0), to_x = at / channels % width;
        std::int64_t const x = (move(row, 2) != 0 ? width - 1 - to_x : to_x) - move(row, 1);
        bool const inside = y >= 0 && y < height && x >= 0 && x < width;
        Real const value =
            inside ? static_cast<Real>(from(chosen(row), static_cast<std::size_t>((y * width + x) * channels + c)))
                   : Real(0);
        input(row, col) = value * gain(col % scales) + offset(col % scales);
      });
}

}  // namespace

BatchLoader::BatchLoader(Dataset dataset, DataSettings const& settings, std::size_t max_rows)
    : dataset_(std::move(dataset)),
      shift_(settings.shift),
      flip_(settings.flip),
      chosen_("minidad::data::chosen", max_rows),
      move_("minidad::data::move", shift_ > 0 || flip_ ? max_rows : 0) {}

void BatchLoader::load(ExecSpace const& space, BatchPlan const& plan, std::size_t rank, std::uint64_t seed,
                       std::size_t epoch, std::size_t step, Matrix const& input, Labels const& label) const {
  auto const rows = input.extent(0);
  require(rows == plan.ranks_at(step).rows_of(rank), "BatchLoader: the plan has another number of rows");
  require(samples() > 0, "BatchLoader: nothing to choose from");
  auto const first = plan.first_lane(rank);
  choose(space, plan.deal(), {seed, epoch, step, first, plan.last_lane(rank) - first, samples()}, rows, chosen_);
  bool const moved = move_.extent(0) > 0;
  if (moved)
    draw_moves(space, seed, epoch, step * plan.deal().batch + plan.ranks_at(step).offset[rank], shift_, flip_, rows,
               move_);
  copy(space, moved, input, label);
}

void BatchLoader::load_in_order(ExecSpace const& space, std::size_t begin, Matrix const& input,
                                Labels const& label) const {
  require(begin + input.extent(0) <= samples(), "BatchLoader: past the last sample");
  choose_in_order(space, begin, input.extent(0), chosen_);
  copy(space, false, input, label);
}

void BatchLoader::copy(ExecSpace const& space, bool moved, Matrix const& input, Labels const& label) const {
  require(input.extent(1) == dataset_.width(), "BatchLoader: samples are of another width");
  auto const copy_from = [&](auto const& from) {
    if (moved)
      copy_moved(space, from, dataset_, chosen_, move_, input);
    else
      copy_as_is(space, from, dataset_, chosen_, input);
  };
  if (dataset_.numbers.size() > 0)
    copy_from(dataset_.numbers);
  else
    copy_from(dataset_.features);
  copy_labels(space, dataset_.label, dataset_.labels, chosen_, input.extent(0), label);
}

}  // namespace minidad
