// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "core/for_each_element.hpp"
#include "core/kokkos_compat.hpp"

namespace minidad {

using TeamPolicy = Kokkos::TeamPolicy<ExecSpace>;
using TeamMember = TeamPolicy::member_type;

/// `league` teams of `threads` with `lanes` each; on a host one thread each, and where it runs the forms for GPUs as
/// many as it likes.
inline TeamPolicy teams_of(ExecSpace const& space, std::size_t league, int threads, int lanes = 1) {
  auto const n = static_cast<int>(league);
  if (on_host) return TeamPolicy(space, n, 1, 1);
  if (runs_on_host) return TeamPolicy(space, n, Kokkos::AUTO, lanes);
  return TeamPolicy(space, n, threads, lanes);
}

/// f(member, row) for every row, where a row is worked on by the vector lanes of a team's thread: they share what goes
/// through `along` and `sum_along`. On a host one thread has the row for itself.
template <class F>
void for_each_row(std::string const& label, ExecSpace const& space, std::size_t rows, F const& f) {
  constexpr std::size_t per_team = on_host ? 16 : 8;
  Kokkos::parallel_for(
      label, teams_of(space, (rows + per_team - 1) / per_team, 8, 32), KOKKOS_LAMBDA(TeamMember const& team) {
        auto const begin = static_cast<std::size_t>(team.league_rank()) * per_team;
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, per_team), [&](std::size_t i) {
          if (begin + i < rows) f(team, begin + i);
        });
      });
}

/// f(col) for every column of the member's row.
template <class F>
KOKKOS_INLINE_FUNCTION void along([[maybe_unused]] TeamMember const& team, std::size_t cols, F const& f) {
  if constexpr (on_host)
    for (std::size_t col = 0; col < cols; ++col) f(col);
  else
    Kokkos::parallel_for(Kokkos::ThreadVectorRange(team, cols), f);
}

/// The sum of f(col) over the member's row, formed as a Sum; every lane has it. On a host in as many partial sums as the compiler needs
/// to vectorise it, in an order of its own for each number of columns.
template <class Sum = Real, class F>
KOKKOS_INLINE_FUNCTION Sum sum_along([[maybe_unused]] TeamMember const& team, std::size_t cols, F const& f) {
  Sum sum = 0;
  if constexpr (on_host) {
    constexpr std::size_t lanes = 32;
    Sum partial[lanes] = {};
    std::size_t col = 0;
    for (; col + lanes <= cols; col += lanes)
      for (std::size_t i = 0; i < lanes; ++i) partial[i] += f(col + i);
    for (std::size_t i = 0; col + i < cols; ++i) partial[i] += f(col + i);
    for (std::size_t half = lanes / 2; half > 0; half /= 2)
      for (std::size_t i = 0; i < half; ++i) partial[i] += partial[half + i];
    sum = partial[0];
  } else {
    Kokkos::parallel_reduce(
        Kokkos::ThreadVectorRange(team, cols), [&](std::size_t col, Sum& part) { part += f(col); }, sum);
  }
  return sum;
}

}  // namespace minidad
