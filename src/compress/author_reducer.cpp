// SPDX-License-Identifier: BSD-3-Clause
#include "compress/author_reducer.hpp"

#include <algorithm>
#include <cmath>

#include "compress/random_rows.hpp"
#include "core/fill.hpp"
#include "linalg/gemm.hpp"
#include "linalg/rows.hpp"

namespace minidad {

namespace {

constexpr double tolerance = 1e-3;  // the published default

/// x yᵀ, in double.
double inner(ExecSpace const& space, Matrix const& x, Matrix const& y) {
  double sum = 0;
  Kokkos::parallel_reduce(
      "minidad::compress::inner", Kokkos::RangePolicy<ExecSpace>(space, 0, x.extent(1)),
      KOKKOS_LAMBDA(std::size_t i, double& partial) {
        partial += static_cast<double>(x(0, i)) * static_cast<double>(y(0, i));
      },
      sum);
  return sum;
}

/// y <- factor x + keep y.
void combine(ExecSpace const& space, double factor, Matrix const& x, double keep, Matrix const& y) {
  Kokkos::parallel_for(
      "minidad::compress::combine", Kokkos::RangePolicy<ExecSpace>(space, 0, x.extent(1)),
      KOKKOS_LAMBDA(std::size_t i) {
        y(0, i) = static_cast<Real>(factor * static_cast<double>(x(0, i)) + keep * static_cast<double>(y(0, i)));
      });
}

Matrix row(Matrix const& m, std::size_t i) { return rows_of(m, i, i + 1); }

}  // namespace

AuthorReducer::AuthorReducer(ReducerSettings const& settings, ReducerShape const& shape, std::uint64_t seed)
    : settings_(settings),
      seed_(seed),
      vectors_("minidad::compress::vectors", shape.few, shape.out),
      x_("minidad::compress::x", 1, shape.out),
      next_("minidad::compress::next", 1, shape.out),
      coordinates_("minidad::compress::coordinates", 1, shape.max_rows),
      fed_("minidad::compress::fed", 1, shape.max_rows),
      products_("minidad::compress::products", shape.max_rows, shape.max_rows),
      values_(shape.few),
      norm_(shape) {}

void AuthorReducer::iterate(ExecSpace const& space, Factors const& rows, std::size_t found) {
  auto const n = rows.rows();
  auto const u = corner_of(coordinates_, 1, n), v = corner_of(fed_, 1, n);
  gemm(space, Op::none, Op::transpose, 1, x_, rows.delta, 0, u);
  gemm(space, Op::none, Op::none, 1, u, corner_of(products_, n, n), 0, v);
  gemm(space, Op::none, Op::none, 1, v, rows.delta, 0, next_);
  for (std::size_t i = 0; i < found; ++i)
    combine(space, -values_[i] * values_[i] * inner(space, row(vectors_, i), x_), row(vectors_, i), 1, next_);
  double const length = std::sqrt(inner(space, next_, next_));
  combine(space, 1 / length, next_, 0, x_);
}

void AuthorReducer::reduce(ExecSpace const& space, Factors const& rows, Factors const& few) {
  last_ = rows;
  fill(space, few.input, 0);
  fill(space, few.delta, 0);
  std::fill(values_.begin(), values_.end(), 0.0);
  auto const n = rows.rows(), r = few.rows();
  if (n == 0 || r == 0) return;
  gemm(space, Op::none, Op::transpose, 1, rows.input, rows.input, 0, corner_of(products_, n, n));
  std::size_t found = 0;
  for (; found < r; ++found) {
    if (found > 0 && values_[found - 1] == 0) break;
    fill_uniform(space, seed_, calls_++, x_);
    for (std::int64_t i = 0; i < settings_.sweeps; ++i) iterate(space, rows, found);
    auto const u = corner_of(coordinates_, 1, n);
    gemm(space, Op::none, Op::transpose, 1, x_, rows.delta, 0, u);
    gemm(space, Op::none, Op::none, 1, u, rows.input, 0, row(few.input, found));
    double const length = std::sqrt(inner(space, row(few.input, found), row(few.input, found)));
    bool const usable = std::isfinite(length) && length > 0;  // NaN: a component of zeros
    values_[found] = usable ? length : 0;
    combine(space, usable ? 1 / length : 0, row(few.input, found), 0, row(few.input, found));
    if (!usable) fill(space, row(few.input, found), 0);
    copy_rows(space, x_, row(vectors_, found));
    if (!usable) fill(space, row(vectors_, found), 0);
    combine(space, values_[found], row(vectors_, found), 0, row(few.delta, found));
    if (found < 2) continue;
    copy_rows(space, row(vectors_, found), next_);
    combine(space, -1, row(vectors_, found - 1), 1, next_);
    if (std::sqrt(inner(space, next_, next_)) >=
        tolerance * std::sqrt(inner(space, row(vectors_, found - 1), row(vectors_, found - 1))))
      continue;
    for (auto const lost : {found - 1, found}) {  // "a repetition": both go
      fill(space, row(few.delta, lost), 0);
      values_[lost] = 0;
    }
    ++found;
    break;
  }
  if (settings_.drop_last && found > 0) {
    fill(space, row(few.input, found - 1), 0);
    fill(space, row(few.delta, found - 1), 0);
    values_[found - 1] = 0;
  }
}

}  // namespace minidad
