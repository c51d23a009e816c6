// SPDX-License-Identifier: BSD-3-Clause
#include "linalg/rows.hpp"

#include <gtest/gtest.h>

#include "support/host_copy.hpp"

namespace minidad {

TEST(ColumnSums, AddRowsInOrder) {
  for (std::size_t const cols : {1, 63, 64, 65, 200}) {
    constexpr std::size_t rows = 9;
    auto const values = wavy(rows * cols);
    Vector const sum("minidad::test::sum", cols);
    column_sums(ExecSpace(), matrix_from(values, rows, cols), sum);
    std::vector<Real> expected(cols, 0);
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t c = 0; c < cols; ++c) expected[c] += values[r * cols + c];
    EXPECT_EQ(host_copy(sum), expected) << cols << " columns";
  }
}

TEST(ColumnSums, OfNoRowsAreZero) {
  Vector const sum("minidad::test::sum", 3);
  Kokkos::deep_copy(sum, Real(7));
  column_sums(ExecSpace(), Matrix("minidad::test::x", 0, 3), sum);
  EXPECT_EQ(host_copy(sum), std::vector<Real>(3, 0));
}

TEST(PackRows, PutsTwoMatricesSideBySide) {
  Matrix const packed("minidad::test::packed", 2, 5);
  pack_rows(ExecSpace(), matrix_from({1, 2, 3, 4, 5, 6}, 2, 3), matrix_from({7, 8, 9, 10}, 2, 2), packed);
  EXPECT_EQ(host_copy(packed), (std::vector<Real>{1, 2, 3, 7, 8, 4, 5, 6, 9, 10}));
}

}  // namespace minidad
