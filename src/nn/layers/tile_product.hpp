// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "core/row_team.hpp"

namespace minidad {

/// Products of small matrices inside a kernel, shared by the threads of a team. A work item keeps a block of the result
/// in registers: on a host as many columns as the compiler needs to vectorise along them, with about the speed of a
/// BLAS; on a GPU a few, taken from columns far apart so that neighbouring threads read neighbouring elements.
namespace tile {

inline constexpr int block_rows = on_host ? (sizeof(Real) == 4 ? 8 : 4) : 4;
inline constexpr int block_cols = on_host ? 32 : 2;

KOKKOS_INLINE_FUNCTION constexpr std::size_t round_up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }
/// Products read this many elements of a line that has n: whoever fills a tile sets the rest to zero.
KOKKOS_INLINE_FUNCTION constexpr std::size_t padded_rows(std::size_t n) { return round_up(n, block_rows); }
KOKKOS_INLINE_FUNCTION constexpr std::size_t padded_cols(std::size_t n) { return round_up(n, block_cols); }

/// A matrix anywhere: element (r, c) stands at data[r * row + c * col].
template <class Scalar>
struct Lines {
  Scalar* data;
  std::size_t row, col = 1;
  KOKKOS_INLINE_FUNCTION Scalar& operator()(std::size_t r, std::size_t c) const { return data[r * row + c * col]; }
  KOKKOS_INLINE_FUNCTION Lines<Scalar> turned() const { return {data, col, row}; }
  KOKKOS_INLINE_FUNCTION Lines<Scalar> from(std::size_t r, std::size_t c) const { return {&(*this)(r, c), row, col}; }
};
using In = Lines<Real const>;
using Out = Lines<Real>;

/// C <- A B, or factor .* C + A B: A (m, k) any way round, B (k, n) and C (m, n) with contiguous columns. Reads
/// padded_rows(m) rows of A and padded_cols(n) columns of B.
struct Product {
  std::size_t m, n, k;
  bool add = false;
  Real const* factor = nullptr;  ///< one a row of C; one if absent
};

KOKKOS_INLINE_FUNCTION void multiply(TeamMember const& team, Product const& p, In const& a, In const& b, Out const& c) {
  std::size_t const across = padded_cols(p.n) / block_cols, down = padded_rows(p.m) / block_rows;
  Kokkos::parallel_for(Kokkos::TeamThreadRange(team, across * down), [&](std::size_t block) {
    std::size_t const row = (on_host ? block % down : block / across) * block_rows;
    std::size_t const first = on_host ? block / down * block_cols : block % across;
    std::size_t const step = on_host ? 1 : across;
    Real const *x = a.data + row * a.row, *y = b.data + first;
    Real sum[block_rows][block_cols] = {};
    for (std::size_t t = 0; t < p.k; ++t)
      for (int i = 0; i < block_rows; ++i)
        for (int j = 0; j < block_cols; ++j) sum[i][j] += x[i * a.row + t * a.col] * y[t * b.row + j * step];
    auto const rows = math::min<std::size_t>(block_rows, p.m - row);
    for (std::size_t i = 0; i < rows; ++i) {
      Real const factor = p.factor == nullptr ? Real(1) : p.factor[row + i];
      Real* const z = c.data + (row + i) * c.row + first;
      if (on_host && first + block_cols <= p.n) {
        for (int j = 0; j < block_cols; ++j) z[j] = p.add ? factor * z[j] + sum[i][j] : sum[i][j];
      } else {
        for (std::size_t j = 0; j < block_cols && first + j * step < p.n; ++j)
          z[j * step] = p.add ? factor * z[j * step] + sum[i][j] : sum[i][j];
      }
    }
  });
}

/// to <- factor from (rows, cols), with zeros up to (padded_rows(rows), padded_cols(cols)).
KOKKOS_INLINE_FUNCTION void load(TeamMember const& team, In const& from, std::size_t rows, std::size_t cols,
                                 Real factor, Out const& to) {
  std::size_t const run = on_host ? padded_cols(cols) : 1, runs = on_host ? 1 : padded_cols(cols);
  Kokkos::parallel_for(Kokkos::TeamThreadRange(team, padded_rows(rows) * runs), [&](std::size_t item) {
    std::size_t const row = item / runs, begin = item % runs, end = begin + run;
    std::size_t const valid = row < rows ? math::min(end, cols) : begin;
    std::size_t col = begin;
    for (; col < valid; ++col) to(row, col) = factor * from(row, col);
    for (; col < end; ++col) to(row, col) = 0;
  });
}

/// to <- factor fromᵀ, with zeros up to (cols, width).   from: (rows, cols)
KOKKOS_INLINE_FUNCTION void load_turned(TeamMember const& team, In const& from, std::size_t rows, std::size_t cols,
                                        std::size_t width, Real factor, Out const& to) {
  std::size_t const run = on_host ? cols : 1, runs = on_host ? 1 : cols;
  Kokkos::parallel_for(Kokkos::TeamThreadRange(team, width * runs), [&](std::size_t item) {
    std::size_t const row = item / runs, begin = item % runs, end = begin + run;
    if (row < rows)
      for (std::size_t col = begin; col < end; ++col) to(col, row) = factor * from(row, col);
    else
      for (std::size_t col = begin; col < end; ++col) to(col, row) = 0;
  });
}

}  // namespace tile

}  // namespace minidad
