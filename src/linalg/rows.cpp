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
  auto const a = left.extent(1);
  require(left.extent(0) == right.extent(0) && packed.extent(0) == left.extent(0) &&
              packed.extent(1) == a + right.extent(1),
          "pack_rows: shapes do not fit");
  for_each_element(
      "minidad::linalg::pack_rows", space, left.extent(0), a,
      KOKKOS_LAMBDA(std::size_t row, std::size_t col) { packed(row, col) = left(row, col); });
  for_each_element(
      "minidad::linalg::pack_rows", space, right.extent(0), right.extent(1),
      KOKKOS_LAMBDA(std::size_t row, std::size_t col) { packed(row, a + col) = right(row, col); });
}

}  // namespace minidad
