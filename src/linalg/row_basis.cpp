// SPDX-License-Identifier: BSD-3-Clause
#include "linalg/row_basis.hpp"

#include <algorithm>
#include <limits>

#include "core/kokkos_compat.hpp"
#include "linalg/gemm.hpp"
#include "linalg/rows.hpp"

namespace minidad {

void row_products(ExecSpace const& space, Matrix const& x, DoubleMatrix const& scratch, DoubleMatrix const& k) {
  auto const wide = corner_of(scratch, x.extent(0), x.extent(1));
  copy_rows(space, x, wide);
  gemm(space, Op::none, Op::transpose, 1, wide, wide, 0, k);
}

namespace {

using Policy = Kokkos::TeamPolicy<ExecSpace>;

/// From K = L Lᵀ: L in `lower`, L⁻¹ in `inverse`, both with zeros above. A pivot below `tolerance` times its diagonal
/// belongs to a row that depends on those before it: its column of L, and its row and column of L⁻¹, are zero.
/// One team: the matrices are small (tens of rows).
void invert_cholesky(ExecSpace const& space, DoubleMatrix const& k, double tolerance, DoubleMatrix const& lower,
                     DoubleMatrix const& inverse) {
  auto const n = static_cast<int>(k.extent(0));
  Kokkos::parallel_for(
      "minidad::linalg::invert_cholesky", Policy(space, 1, Kokkos::AUTO),
      KOKKOS_LAMBDA(Policy::member_type const& team) {
        for (int j = 0; j < n; ++j) {
          Kokkos::single(Kokkos::PerTeam(team), [&] {
            double pivot = k(j, j);
            for (int p = 0; p < j; ++p) pivot -= lower(j, p) * lower(j, p);
            // A NaN is not small: it goes on, so that who looks at the result can see it.
            lower(j, j) = pivot <= tolerance * k(j, j) ? 0.0 : math::sqrt(pivot);
          });
          team.team_barrier();
          double const diagonal = lower(j, j);
          Kokkos::parallel_for(Kokkos::TeamThreadRange(team, j + 1, n), [&](int i) {
            double sum = k(i, j);
            for (int p = 0; p < j; ++p) sum -= lower(i, p) * lower(j, p);
            lower(i, j) = diagonal == 0 ? 0 : sum / diagonal;
            lower(j, i) = 0;
          });
          team.team_barrier();
        }
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, 0, n), [&](int j) {  // L⁻¹ column by column
          for (int i = 0; i < n; ++i) {
            double sum = i == j ? 1 : 0;
            for (int p = j; p < i; ++p) sum -= lower(i, p) * inverse(p, j);
            inverse(i, j) = i < j || lower(i, i) == 0 ? 0 : sum / lower(i, i);
          }
        });
      });
}

/// The larger of the rounding of the rows themselves and of their inner products.
double dependence_tolerance() {
  double const row = 16 * static_cast<double>(std::numeric_limits<Real>::epsilon());
  return std::max(row * row, 64 * std::numeric_limits<double>::epsilon());
}

}  // namespace

RowBasis::RowBasis(std::size_t max_rows, std::size_t max_cols)
    : wide_("minidad::linalg::wide", max_rows, max_cols),
      product_("minidad::linalg::product", max_rows, max_rows),
      lower_("minidad::linalg::lower", max_rows, max_rows),
      inverse_("minidad::linalg::inverse", max_rows, max_rows),
      turned_("minidad::linalg::turned", max_rows, max_cols),
      rotation_("minidad::linalg::rotation", max_rows, max_rows),
      max_rows_(max_rows) {}

void RowBasis::pass(ExecSpace const& space, Matrix const& x, Matrix const& out) {
  auto const n = x.extent(0);
  auto const k = corner_of(product_, n, n), lower = corner_of(lower_, n, n), inverse = corner_of(inverse_, n, n);
  auto const rotation = corner_of(rotation_, n, n);
  row_products(space, x, wide_, k);
  invert_cholesky(space, k, dependence_tolerance(), lower, inverse);
  copy_rows(space, inverse, rotation);
  gemm(space, Op::none, Op::none, 1, rotation, x, 0, out);
}

void RowBasis::orthonormalise(ExecSpace const& space, Matrix const& x) {
  if (x.extent(0) == 0) return;
  auto const turned = corner_of(turned_, x.extent(0), x.extent(1));
  pass(space, x, turned);
  pass(space, turned, x);
}

void RowBasis::orthonormalise_roughly(ExecSpace const& space, Matrix const& x) {
  if (x.extent(0) == 0) return;
  auto const turned = corner_of(turned_, x.extent(0), x.extent(1));
  pass(space, x, turned);
  copy_rows(space, turned, x);
}

void RowBasis::factorise(ExecSpace const& space, Matrix const& x) {
  auto const n = x.extent(0);
  if (first_lower_.extent(0) == 0) {  // only who needs the factor pays for it
    first_lower_ = DoubleMatrix("minidad::linalg::first_lower", max_rows_, max_rows_);
    factor_ = DoubleMatrix("minidad::linalg::factor", max_rows_, max_rows_);
  }
  rows_ = n;
  if (n == 0) return;
  auto const turned = corner_of(turned_, n, x.extent(1));
  auto const first = corner_of(first_lower_, n, n);
  pass(space, x, turned);
  copy_rows(space, corner_of(lower_, n, n), first);
  pass(space, turned, x);
  gemm(space, Op::none, Op::none, 1, first, corner_of(lower_, n, n), 0, factor());
}

}  // namespace minidad
