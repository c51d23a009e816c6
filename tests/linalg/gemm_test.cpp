// SPDX-License-Identifier: BSD-3-Clause
#include "linalg/gemm.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "core/error.hpp"
#include "support/host_copy.hpp"

namespace minidad {

constexpr double eps = std::numeric_limits<Real>::epsilon();

struct Shape {
  std::size_t m, n, k;
};

/// alpha op(A) op(B) + beta C in double, by the definition.
std::vector<double> reference(Op op_a, Op op_b, double alpha, std::vector<Real> const& a, std::vector<Real> const& b,
                              double beta, std::vector<Real> const& c, Shape s) {
  std::vector<double> out(s.m * s.n);
  for (std::size_t i = 0; i < s.m; ++i)
    for (std::size_t j = 0; j < s.n; ++j) {
      double sum = 0;
      for (std::size_t l = 0; l < s.k; ++l)
        sum += static_cast<double>(op_a == Op::none ? a[i * s.k + l] : a[l * s.m + i]) *
               static_cast<double>(op_b == Op::none ? b[l * s.n + j] : b[j * s.k + l]);
      out[i * s.n + j] = alpha * sum + (beta == 0 ? 0 : beta * static_cast<double>(c[i * s.n + j]));
    }
  return out;
}

TEST(Gemm, MatchesItsDefinitionForEveryOpAndShape) {
  ExecSpace const space;
  for (auto const s :
       {Shape{1, 1, 1}, {5, 7, 3}, {33, 17, 64}, {64, 10, 100}, {400, 4, 700}, {5, 700, 300}, {700, 500, 3}})
    for (auto const op_a : {Op::none, Op::transpose})
      for (auto const op_b : {Op::none, Op::transpose})
        for (double const beta : {0.0, 0.5}) {
          auto const a = wavy(s.m * s.k), b = wavy(s.k * s.n, 1), c = wavy(s.m * s.n, 2);
          auto const result = matrix_from(c, s.m, s.n);
          gemm(space, op_a, op_b, 2, op_a == Op::none ? matrix_from(a, s.m, s.k) : matrix_from(a, s.k, s.m),
               op_b == Op::none ? matrix_from(b, s.k, s.n) : matrix_from(b, s.n, s.k), static_cast<Real>(beta), result);
          auto const expected = reference(op_a, op_b, 2, a, b, beta, c, s);
          auto const found = host_copy(result);
          // |entries| < 1, so k products of size 2 sum with at most (k + 2) roundings of 2 k.
          for (std::size_t i = 0; i < found.size(); ++i)
            EXPECT_NEAR(found[i], expected[i], eps * 2 * static_cast<double>(s.k * (s.k + 2)));
        }
}

TEST(Gemm, WithBetaZeroForgetsWhatWasThere) {
  auto const nan = std::numeric_limits<Real>::quiet_NaN();
  auto const c = matrix_from({nan, nan, nan, nan}, 2, 2);
  gemm(ExecSpace(), Op::none, Op::none, 1, matrix_from({1, 2}, 2, 1), matrix_from({3, 4}, 1, 2), 0, c);
  EXPECT_EQ(host_copy(c), (std::vector<Real>{3, 4, 6, 8}));
}

TEST(Gemm, OfNoTermsIsZero) {  // a rank without rows forms the gradient like this
  auto const c = matrix_from({1, 2, 3, 4, 5, 6}, 2, 3);
  gemm(ExecSpace(), Op::transpose, Op::none, 1, Matrix("minidad::test::a", 0, 2), Matrix("minidad::test::b", 0, 3), 0,
       c);
  EXPECT_EQ(host_copy(c), std::vector<Real>(6, 0));
}

TEST(Gemm, OfNoRowsDoesNothing) {
  gemm(ExecSpace(), Op::none, Op::none, 1, Matrix("minidad::test::a", 0, 2), Matrix("minidad::test::b", 2, 3), 0,
       Matrix("minidad::test::c", 0, 3));
}

TEST(Gemm, WorksOnColumnsOfAWiderMatrix) {  // dAD's gathered [A | D]
  auto const packed = matrix_from(wavy(6 * 5), 6, 5);
  Matrix const from_packed("minidad::test::c", 3, 2), from_copies("minidad::test::c", 3, 2);
  auto const a = columns_of(packed, 0, 3), d = columns_of(packed, 3, 5);
  gemm(ExecSpace(), Op::transpose, Op::none, 1, a, d, 0, from_packed);
  gemm(ExecSpace(), Op::transpose, Op::none, 1, matrix_from(host_copy(a), 6, 3), matrix_from(host_copy(d), 6, 2), 0,
       from_copies);
  EXPECT_EQ(host_copy(from_packed), host_copy(from_copies));
}

TEST(Gemm, RefusesShapesThatDoNotFit) {
  EXPECT_THROW(gemm(ExecSpace(), Op::none, Op::none, 1, Matrix("minidad::test::a", 2, 3),
                    Matrix("minidad::test::b", 2, 3), 0, Matrix("minidad::test::c", 2, 3)),
               Error);
}

// What deterministic dAD stands on: a block's bits do not change with its neighbours.
TEST(RowBlockProduct, GivesABlockTheSameBitsInAnyCompany) {
  ExecSpace const space;
  auto const a = matrix_from(wavy(40 * 64), 40, 64), b = matrix_from(wavy(64 * 48, 1), 64, 48);
  Matrix const together("minidad::test::c", 40, 48), alone("minidad::test::c", 16, 48);
  row_block_product(space, {{0, 8, 24, 40}}, a, Op::none, b, together);
  row_block_product(space, {{0, 16}}, rows_of(a, 8, 24), Op::none, b, alone);
  EXPECT_EQ(host_copy(rows_of(together, 8, 24)), host_copy(alone));
}

}  // namespace minidad
