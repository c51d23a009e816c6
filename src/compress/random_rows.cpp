// SPDX-License-Identifier: BSD-3-Clause
#include "compress/random_rows.hpp"

#include "core/for_each_element.hpp"
#include "core/random.hpp"

namespace minidad {

namespace {

KOKKOS_INLINE_FUNCTION Words4 words_at(std::uint64_t seed, std::uint64_t call, std::size_t place) {
  return philox(seed, {{static_cast<std::uint32_t>(place), static_cast<std::uint32_t>(call),
                        static_cast<std::uint32_t>(call >> 32), static_cast<std::uint32_t>(Stream::factors)}});
}

}  // namespace

void fill_normal(ExecSpace const& space, std::uint64_t seed, std::uint64_t call, Matrix const& x) {
  auto const cols = x.extent(1);
  for_each_element(
      "minidad::compress::fill_normal", space, x.extent(0), cols, KOKKOS_LAMBDA(std::size_t row, std::size_t col) {
        auto const words = words_at(seed, call, row * cols + col);
        x(row, col) = static_cast<Real>(normal(words.x[0], words.x[1]));
      });
}

void revive_zero_rows(ExecSpace const& space, std::uint64_t seed, std::uint64_t call, Matrix const& x) {
  using Policy = Kokkos::TeamPolicy<ExecSpace>;
  auto const cols = x.extent(1);
  Kokkos::parallel_for(
      "minidad::compress::revive_zero_rows", Policy(space, static_cast<int>(x.extent(0)), Kokkos::AUTO),
      KOKKOS_LAMBDA(Policy::member_type const& team) {
        auto const row = static_cast<std::size_t>(team.league_rank());
        int alive = 0;
        Kokkos::parallel_reduce(
            Kokkos::TeamThreadRange(team, cols),
            [&](std::size_t col, int& partial) { partial += x(row, col) == Real(0) ? 0 : 1; }, alive);
        if (alive > 0) return;
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, cols), [&](std::size_t col) {
          auto const words = words_at(seed, call, row * cols + col);
          x(row, col) = static_cast<Real>(normal(words.x[0], words.x[1]));
        });
      });
}

void fill_uniform(ExecSpace const& space, std::uint64_t seed, std::uint64_t call, Matrix const& x) {
  auto const cols = x.extent(1);
  for_each_element(
      "minidad::compress::fill_uniform", space, x.extent(0), cols, KOKKOS_LAMBDA(std::size_t row, std::size_t col) {
        x(row, col) = static_cast<Real>(uniform(words_at(seed, call, row * cols + col).x[0]));
      });
}

}  // namespace minidad
