// SPDX-License-Identifier: BSD-3-Clause
#include "linalg/gemm.hpp"

#include <KokkosBlas3_gemm.hpp>

#include "core/error.hpp"
#include "core/fill.hpp"

namespace minidad {

namespace {

/// Kokkos Kernels takes an execution space first from 4.0 on; before, it used the default instance.
template <class Space, class Scalar, class M>
void blas_gemm(Space const& space, char const* op_a, char const* op_b, Scalar alpha, M const& a, M const& b,
               Scalar beta, M const& c) {
  if constexpr (requires { KokkosBlas::gemm(space, op_a, op_b, alpha, a, b, beta, c); })
    KokkosBlas::gemm(space, op_a, op_b, alpha, a, b, beta, c);
  else
    KokkosBlas::gemm(op_a, op_b, alpha, a, b, beta, c);
}

}  // namespace

template <class Scalar>
void gemm(ExecSpace const& space, Op op_a, Op op_b, std::type_identity_t<Scalar> alpha, MatrixOf<Scalar> const& a,
          MatrixOf<Scalar> const& b, std::type_identity_t<Scalar> beta, MatrixOf<Scalar> const& c) {
  bool const turned_a = op_a == Op::transpose, turned_b = op_b == Op::transpose;
  std::size_t const m = a.extent(turned_a ? 1 : 0), k = a.extent(turned_a ? 0 : 1), n = b.extent(turned_b ? 0 : 1);
  require(b.extent(turned_b ? 1 : 0) == k && c.extent(0) == m && c.extent(1) == n, "gemm: shapes do not fit");
  if (m == 0 || n == 0) return;
  if (k == 0) {  // Kokkos Kernels 3.4 leaves C as it is
    require(beta == Scalar(0) || beta == Scalar(1), "gemm: an empty product is assigned or added");
    if (beta == Scalar(0)) fill(space, c, 0);
    return;
  }
  char const name_a[] = {static_cast<char>(op_a), 0}, name_b[] = {static_cast<char>(op_b), 0};
  blas_gemm(space, name_a, name_b, alpha, a, b, beta, c);
}

template void gemm(ExecSpace const&, Op, Op, float, MatrixOf<float> const&, MatrixOf<float> const&, float,
                   MatrixOf<float> const&);
template void gemm(ExecSpace const&, Op, Op, double, MatrixOf<double> const&, MatrixOf<double> const&, double,
                   MatrixOf<double> const&);

void row_block_product(ExecSpace const& space, RowLayout const& blocks, Matrix const& a, Op op_b, Matrix const& b,
                       Matrix const& c) {
  require(blocks.rows() == a.extent(0), "row_block_product: the blocks must cover the rows");
  for (std::size_t i = 0; i < blocks.parts(); ++i) {
    auto const begin = blocks.offset[i], end = blocks.offset[i + 1];
    gemm(space, Op::none, op_b, 1, rows_of(a, begin, end), b, 0, rows_of(c, begin, end));
  }
}

}  // namespace minidad
