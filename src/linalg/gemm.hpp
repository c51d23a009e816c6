// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <type_traits>

#include "core/row_layout.hpp"
#include "core/types.hpp"

namespace minidad {

enum class Op : char { none = 'N', transpose = 'T' };

/// C <- alpha op(A) op(B) + beta C, by the vendor's BLAS through Kokkos Kernels. With beta = 0, C may hold anything
/// before. Shapes must fit: op(A) (m, k), op(B) (k, n), C (m, n); any of them may be zero.
/// Scalar is float or double.
template <class Scalar>
void gemm(ExecSpace const& space, Op op_a, Op op_b, std::type_identity_t<Scalar> alpha, MatrixOf<Scalar> const& a,
          MatrixOf<Scalar> const& b, std::type_identity_t<Scalar> beta, MatrixOf<Scalar> const& c);

/// y <- (x fromᵀ) to: what the rows of x become under G = fromᵀ to, which is not formed. 2 (x rows)(from rows)(columns of
/// from + columns of to) flops. `scratch` has room for (from rows, x rows).
void product_through_rows(ExecSpace const& space, Matrix const& x, Matrix const& from, Matrix const& to,
                          Matrix const& scratch, Matrix const& y);

/// C <- A op(B), each block of rows by a call of its own: the bits of a row then depend on its block alone, and not on
/// how many other rows of A this rank holds.
void row_block_product(ExecSpace const& space, RowLayout const& blocks, Matrix const& a, Op op_b, Matrix const& b,
                       Matrix const& c);

}  // namespace minidad
