// SPDX-License-Identifier: BSD-3-Clause
#include "linalg/rows.hpp"

#include <gtest/gtest.h>

#include "core/for_each_element.hpp"
#include "support/host_copy.hpp"

namespace minidad {

namespace {

std::vector<Real> sums_of(std::vector<Real> const& values, std::size_t cols) {
  Vector const sum("minidad::test::sum", cols);
  column_sums(ExecSpace(), matrix_from(values, values.size() / cols, cols), sum);
  return host_copy(sum);
}

std::vector<Real> sums_in_order(std::vector<Real> const& values, std::size_t cols) {
  std::vector<Real> sums(cols, 0);
  for (std::size_t i = 0; i < values.size(); ++i) sums[i % cols] += values[i];
  return sums;
}

}  // namespace

TEST(ColumnSums, AddRowsInOrder) {  // a GPU has an order of its own
  for (std::size_t const cols : {1, 63, 64, 65, 200}) {
    auto const values = wavy(9 * cols);
    auto const sums = sums_of(values, cols), expected = sums_in_order(values, cols);
    for (std::size_t c = 0; c < cols; ++c) EXPECT_NEAR(sums[c], expected[c], on_host ? 0 : 1e-5) << cols << " columns";
  }
}

TEST(ColumnSums, AddEveryRowOnce) {  // whole numbers: any order gives the same
  for (std::size_t const rows : {1, 2, 3, 127, 128, 129, 1000})
    for (std::size_t const cols : {1, 7, 8, 9, 65}) {
      std::vector<Real> values(rows * cols);
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<Real>(i * i % 101);
      EXPECT_EQ(sums_of(values, cols), sums_in_order(values, cols)) << rows << " rows, " << cols << " columns";
    }
}

TEST(ColumnSums, ReadAPartOfAWiderMatrix) {
  auto const x = matrix_from({1, 2, 3, 4, 5, 6}, 2, 3);
  Vector const sum("minidad::test::sum", 2);
  column_sums(ExecSpace(), columns_of(x, 1, 3), sum);
  EXPECT_EQ(host_copy(sum), (std::vector<Real>{7, 9}));
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

TEST(Transpose, TurnsTilesAndTheirRemainders) {
  for (std::size_t const rows : {1, 31, 32, 33, 70})
    for (std::size_t const cols : {1, 32, 45}) {
      std::vector<Real> values(rows * cols), turned(rows * cols);
      for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<Real>(i);
        turned[i % cols * rows + i / cols] = static_cast<Real>(i);
      }
      Matrix const to("minidad::test::to", cols, rows);
      transpose(ExecSpace(), matrix_from(values, rows, cols), to);
      EXPECT_EQ(host_copy(to), turned) << rows << " x " << cols;
    }
}

}  // namespace minidad
