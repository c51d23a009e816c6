// SPDX-License-Identifier: BSD-3-Clause
#include "linalg/row_basis.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "linalg/small_dense.hpp"
#include "linalg/small_transfer.hpp"
#include "support/dense.hpp"

namespace minidad {

constexpr double eps = std::numeric_limits<Real>::epsilon();

double inner(std::vector<Real> const& x, std::size_t cols, std::size_t a, std::size_t b) {
  double sum = 0;
  for (std::size_t c = 0; c < cols; ++c)
    sum += static_cast<double>(x[a * cols + c]) * static_cast<double>(x[b * cols + c]);
  return sum;
}

/// Rows 0..6 with row 1 ten thousand times shorter, row 3 = row 0 + row 2, row 5 = 0.
Matrix difficult(std::size_t cols) {
  auto const random = host_copy(random_factors(7, cols, 1, 1).input);
  std::vector<double> x(random.begin(), random.end());
  for (std::size_t c = 0; c < cols; ++c) {
    x[1 * cols + c] *= 1e-4;
    x[3 * cols + c] =
        static_cast<double>(static_cast<Real>(x[c])) + static_cast<double>(static_cast<Real>(x[2 * cols + c]));
    x[5 * cols + c] = 0;
  }
  return device_matrix(7, cols, x);
}

TEST(RowBasis, MakesRowsOrthonormalAndDependentOnesZero) {
  constexpr std::size_t cols = 40;
  ExecSpace const space;
  auto const x = difficult(cols);
  RowBasis(9, 50).orthonormalise(space, x);
  auto const q = host_copy(x);
  for (std::size_t a = 0; a < 7; ++a)
    for (std::size_t b = 0; b < 7; ++b) {
      bool const dependent = a == 3 || a == 5;
      EXPECT_NEAR(inner(q, cols, a, b), a == b && !dependent ? 1 : 0, 20 * eps) << a << " " << b;
    }
}

TEST(RowBasis, KeepsTheFactor) {
  constexpr std::size_t cols = 40;
  ExecSpace const space;
  auto const x = difficult(cols);
  auto const before = host_copy(x);
  RowBasis basis(9, 50);
  basis.factorise(space, x);
  SmallTransfer transfer(81);
  auto const fetched = transfer.fetch(space, basis.factor());
  std::vector<double> const lower(fetched.begin(), fetched.end());
  auto const q = host_copy(x);
  for (std::size_t r = 0; r < 7; ++r)
    for (std::size_t c = 0; c < cols; ++c) {
      double sum = 0;
      for (std::size_t p = 0; p <= r; ++p) sum += lower[r * 7 + p] * static_cast<double>(q[p * cols + c]);
      EXPECT_NEAR(sum, static_cast<double>(before[r * cols + c]), 50 * std::max(eps, 1e-9)) << r;
    }
}

TEST(RowBasis, LeavesNoRowsAlone) {
  RowBasis(4, 6).orthonormalise(ExecSpace(), Matrix("minidad::test::none", 0, 6));
  RowBasis basis(4, 6);
  basis.factorise(ExecSpace(), Matrix("minidad::test::none", 0, 6));
  EXPECT_EQ(basis.factor().extent(0), 0u);
}

TEST(SymmetricEigen, FindsDescendingPairs) {
  std::vector<double> const a{2, 1, 0, 1, 2, 0, 0, 0, 5};
  SymmetricEigen eigen(4);
  eigen.solve(a, 3);
  for (std::size_t j = 0; j < 3; ++j) EXPECT_NEAR(eigen.values()[j], std::vector<double>({5, 3, 1})[j], 1e-14);
  for (std::size_t j = 0; j < 3; ++j)
    for (std::size_t i = 0; i < 3; ++i) {
      double product = 0;
      for (std::size_t k = 0; k < 3; ++k) product += a[i * 3 + k] * eigen.vector(j)[k];
      EXPECT_NEAR(product, eigen.values()[j] * eigen.vector(j)[i], 1e-13);
    }
  eigen.solve(a, 3, false);
  EXPECT_NEAR(eigen.values()[0], 5, 1e-14);
  eigen.solve(std::vector<double>{std::nan("")}, 1);
  EXPECT_TRUE(std::isnan(eigen.values()[0]));
}

TEST(SmallSvd, TakesWideAndTallMatricesApart) {
  for (auto const& [rows, cols] : {std::pair<std::size_t, std::size_t>{3, 5}, {5, 3}, {4, 4}}) {
    auto const random = host_copy(random_factors(rows, cols, 1, 2).input);
    std::vector<double> const a(random.begin(), random.end());
    SmallSvd svd(6, 6);
    svd.solve(a, rows, cols);
    auto const k = svd.values().size();
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t j = 0; j < cols; ++j) {
        double sum = 0;
        for (std::size_t s = 0; s < k; ++s) sum += svd.left()[i * k + s] * svd.values()[s] * svd.right()[s * cols + j];
        EXPECT_NEAR(sum, a[i * cols + j], 1e-13);
      }
    for (std::size_t s = 1; s < k; ++s) EXPECT_GE(svd.values()[s - 1], svd.values()[s]);
  }
}

TEST(MultiplySmall, ServesAllFourForms) {
  std::vector<double> const a{1, 2, 3, 4, 5, 6}, b{1, 0, 2, 1, 1, 1}, turned_a{1, 4, 2, 5, 3, 6},
      turned_b{1, 2, 1, 0, 1, 1};
  for (auto const op_a : {Op::none, Op::transpose})
    for (auto const op_b : {Op::none, Op::transpose}) {
      std::vector<double> c(4);
      multiply_small(op_a, op_b, 2, 2, 3, (op_a == Op::none ? a : turned_a).data(),
                     (op_b == Op::none ? b : turned_b).data(), c.data());
      EXPECT_EQ(c, (std::vector<double>{8, 5, 20, 11}));
    }
}

}  // namespace minidad
