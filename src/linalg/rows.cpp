// SPDX-License-Identifier: BSD-3-Clause
#include "linalg/rows.hpp"

#include "core/error.hpp"
#include "core/for_each_element.hpp"

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

void pack_rows(ExecSpace const& space, Matrix const& left, Matrix const& right, Matrix const& packed) {
  auto const a = left.extent(1), all = packed.extent(1);
  require(a <= all, "pack_rows: shapes do not fit");
  copy_rows(space, left, columns_of(packed, 0, a));
  copy_rows(space, right, columns_of(packed, a, all));
}

void copy_rows(ExecSpace const& space, Matrix const& from, Matrix const& to) {
  require(from.extent(0) == to.extent(0) && from.extent(1) == to.extent(1), "copy_rows: shapes differ");
  for_each_element(
      "minidad::linalg::copy_rows", space, from.extent(0), from.extent(1),
      KOKKOS_LAMBDA(std::size_t row, std::size_t col) { to(row, col) = from(row, col); });
}

}  // namespace minidad
