// SPDX-License-Identifier: BSD-3-Clause
#include "linalg/rows.hpp"

#include "core/error.hpp"
#include "core/for_each_element.hpp"
#include "core/kokkos_compat.hpp"
#include "core/row_team.hpp"

namespace minidad {

namespace {

/// A work item goes down a strip of columns, row by row, and so walks along rows too.
void column_sums_by_strips(ExecSpace const& space, Matrix const& x, Vector const& sum) {
  constexpr std::size_t strip = 64;
  auto const rows = x.extent(0), cols = x.extent(1), strips = (cols + strip - 1) / strip;
  Kokkos::parallel_for(
      "minidad::linalg::column_sums", Kokkos::RangePolicy<ExecSpace>(space, 0, strips), KOKKOS_LAMBDA(std::size_t s) {
        auto const begin = s * strip, width = begin + strip < cols ? strip : cols - begin;
        Real partial[strip] = {};
        for (std::size_t row = 0; row < rows; ++row)
          for (std::size_t i = 0; i < width; ++i) partial[i] += x(row, begin + i);
        for (std::size_t i = 0; i < width; ++i) sum(begin + i) = partial[i];
      });
}

/// A team has 8 columns, which fill a sector of memory, its lanes one each, and its threads share the rows: one work item
/// for each column would leave a GPU empty. The threads' sums are added in order: no sum depends on chance.
void column_sums_by_teams(ExecSpace const& space, Matrix const& x, Vector const& sum) {
  constexpr std::size_t lanes = 8, shares = 128;
  using Partial = Kokkos::View<Real[shares][lanes], Kokkos::LayoutRight, ExecSpace::scratch_memory_space,
                               Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
  auto const rows = x.extent(0), cols = x.extent(1);
  auto policy = teams_of(space, (cols + lanes - 1) / lanes, static_cast<int>(shares), static_cast<int>(lanes));
  policy.set_scratch_size(0, Kokkos::PerTeam(static_cast<int>(Partial::shmem_size())));
  Kokkos::parallel_for(
      "minidad::linalg::column_sums", policy, KOKKOS_LAMBDA(TeamMember const& team) {
        Partial const partial(team.team_scratch(0));
        auto const begin = static_cast<std::size_t>(team.league_rank()) * lanes, width = math::min(lanes, cols - begin);
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, shares), [&](std::size_t share) {
          Kokkos::parallel_for(Kokkos::ThreadVectorRange(team, width), [&](std::size_t i) {
            Real mine = 0;
            for (std::size_t row = share; row < rows; row += shares) mine += x(row, begin + i);
            partial(share, i) = mine;
          });
        });
        team.team_barrier();
        Kokkos::parallel_for(Kokkos::TeamVectorRange(team, width), [&](std::size_t i) {
          Real all = 0;
          for (std::size_t share = 0; share < shares; ++share) all += partial(share, i);
          sum(begin + i) = all;
        });
      });
}

}  // namespace

void column_sums(ExecSpace const& space, Matrix const& x, Vector const& sum) {
  require(sum.extent(0) == x.extent(1), "column_sums: one sum per column");
  if (sum.extent(0) == 0) return;
  if (on_host)
    column_sums_by_strips(space, x, sum);
  else
    column_sums_by_teams(space, x, sum);
}

namespace {

/// The sum of f(element) over all elements. On a host a work item is a run of elements, which the compiler vectorises.
template <class Sum, class F>
Sum sum_over_elements(std::string const& label, ExecSpace const& space, Matrix const& x, F const& f) {
  std::size_t const cols = x.extent(1), strip = on_host ? 256 : 1, strips = (cols + strip - 1) / strip;
  Sum sum = 0;
  Kokkos::parallel_reduce(
      label, Kokkos::RangePolicy<ExecSpace>(space, 0, x.extent(0) * strips),
      KOKKOS_LAMBDA(std::size_t item, Sum & partial) {
        std::size_t const row = item / strips, begin = (item % strips) * strip, end = math::min(cols, begin + strip);
        decltype(f(Real(0))) here = 0;  // of what f gives: narrow counts vectorise better
        for (std::size_t col = begin; col < end; ++col) here += f(x(row, col));
        partial += static_cast<Sum>(here);
      },
      sum);
  return sum;
}

}  // namespace

double sum_of_squares(ExecSpace const& space, Matrix const& x) {
  return sum_over_elements<double>(
      "minidad::linalg::sum_of_squares", space, x,
      KOKKOS_LAMBDA(Real value) { return static_cast<double>(value) * static_cast<double>(value); });
}

std::int64_t count_not_finite(ExecSpace const& space, Matrix const& x) {
  return sum_over_elements<std::int64_t>(
      "minidad::linalg::count_not_finite", space, x,
      KOKKOS_LAMBDA(Real value) { return value - value == Real(0) ? 0 : 1; });
}

void pack_rows(ExecSpace const& space, Matrix const& left, Matrix const& right, Matrix const& packed) {
  auto const a = left.extent(1), all = packed.extent(1);
  require(a <= all, "pack_rows: shapes do not fit");
  copy_rows(space, left, columns_of(packed, 0, a));
  copy_rows(space, right, columns_of(packed, a, all));
}

template <class From, class To>
void copy_rows(ExecSpace const& space, MatrixOf<From> const& from, MatrixOf<To> const& to) {
  require(from.extent(0) == to.extent(0) && from.extent(1) == to.extent(1), "copy_rows: shapes differ");
  for_each_element(
      "minidad::linalg::copy_rows", space, from.extent(0), from.extent(1),
      KOKKOS_LAMBDA(std::size_t row, std::size_t col) { to(row, col) = static_cast<To>(from(row, col)); });
}
template void copy_rows(ExecSpace const&, MatrixOf<float> const&, MatrixOf<float> const&);
template void copy_rows(ExecSpace const&, MatrixOf<float> const&, MatrixOf<double> const&);
template void copy_rows(ExecSpace const&, MatrixOf<double> const&, MatrixOf<float> const&);
template void copy_rows(ExecSpace const&, MatrixOf<double> const&, MatrixOf<double> const&);

void add_rows(ExecSpace const& space, Matrix const& from, Matrix const& to) {
  require(from.extent(0) == to.extent(0) && from.extent(1) == to.extent(1), "add_rows: shapes differ");
  for_each_element(
      "minidad::linalg::add_rows", space, from.extent(0), from.extent(1),
      KOKKOS_LAMBDA(std::size_t row, std::size_t col) { to(row, col) += from(row, col); });
}

namespace {

/// By tiles that turn in shared memory, so that neighbours read and write neighbours. A tile's lines are of odd length:
/// no two lanes meet in a bank.
void transpose_by_tiles(ExecSpace const& space, Matrix const& from, Matrix const& to) {
  constexpr std::size_t side = 32;
  using Tile = Kokkos::View<Real[side][side + 1], Kokkos::LayoutRight, ExecSpace::scratch_memory_space,
                            Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
  auto const rows = from.extent(0), cols = from.extent(1), across = (cols + side - 1) / side;
  auto policy = teams_of(space, (rows + side - 1) / side * across, 8, static_cast<int>(side));
  policy.set_scratch_size(0, Kokkos::PerTeam(static_cast<int>(Tile::shmem_size())));
  Kokkos::parallel_for(
      "minidad::linalg::transpose", policy, KOKKOS_LAMBDA(TeamMember const& team) {
        Tile const tile(team.team_scratch(0));
        auto const number = static_cast<std::size_t>(team.league_rank());
        std::size_t const top = number / across * side, height = math::min(side, rows - top);
        std::size_t const left = number % across * side, width = math::min(side, cols - left);
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, height), [&](std::size_t i) {
          along(team, width, [&](std::size_t j) { tile(i, j) = from(top + i, left + j); });
        });
        team.team_barrier();
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, width), [&](std::size_t j) {
          along(team, height, [&](std::size_t i) { to(left + j, top + i) = tile(i, j); });
        });
      });
}

}  // namespace

void transpose(ExecSpace const& space, Matrix const& from, Matrix const& to) {
  require(from.extent(0) == to.extent(1) && from.extent(1) == to.extent(0), "transpose: shapes do not fit");
  if (!on_host) return transpose_by_tiles(space, from, to);
  for_each_element(
      "minidad::linalg::transpose", space, to.extent(0), to.extent(1),
      KOKKOS_LAMBDA(std::size_t row, std::size_t col) { to(row, col) = from(col, row); });
}

void negate_rows(ExecSpace const& space, Matrix const& from, Matrix const& to) {
  require(from.extent(0) == to.extent(0) && from.extent(1) == to.extent(1), "negate_rows: shapes differ");
  for_each_element(
      "minidad::linalg::negate_rows", space, from.extent(0), from.extent(1),
      KOKKOS_LAMBDA(std::size_t row, std::size_t col) { to(row, col) = -from(row, col); });
}

}  // namespace minidad
