// SPDX-License-Identifier: BSD-3-Clause
#include "linalg/rows.hpp"

#include "core/error.hpp"
#include "core/for_each_element.hpp"
#include "core/kokkos_compat.hpp"

namespace minidad {

void column_sums(ExecSpace const& space, Matrix const& x, Vector const& sum) {
  require(sum.extent(0) == x.extent(1), "column_sums: one sum per column");
  auto const rows = x.extent(0);
  // One thread a column: on a GPU neighbouring threads read neighbouring columns. On a host the loop order is turned by
  // strips, so that each thread walks along rows too.
  constexpr std::size_t strip = on_host ? 64 : 1;
  auto const cols = x.extent(1), strips = (cols + strip - 1) / strip;
  Kokkos::parallel_for(
      "minidad::linalg::column_sums", Kokkos::RangePolicy<ExecSpace>(space, 0, strips), KOKKOS_LAMBDA(std::size_t s) {
        auto const begin = s * strip, width = begin + strip < cols ? strip : cols - begin;
        Real partial[strip] = {};
        for (std::size_t row = 0; row < rows; ++row)
          for (std::size_t i = 0; i < width; ++i) partial[i] += x(row, begin + i);
        for (std::size_t i = 0; i < width; ++i) sum(begin + i) = partial[i];
      });
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
        auto here = f(Real(0)) - f(Real(0));  // a zero of what f gives: narrow counts vectorise better
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

void transpose(ExecSpace const& space, Matrix const& from, Matrix const& to) {
  require(from.extent(0) == to.extent(1) && from.extent(1) == to.extent(0), "transpose: shapes do not fit");
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
