// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "core/types.hpp"

namespace minidad {

/// k (rows, rows) <- X Xᵀ, the inner products of the rows of x, formed in double. `scratch` has room for x in double;
/// afterwards it holds x, in its first rows.size() scalars.
void row_products(ExecSpace const& space, Matrix const& x, DoubleMatrix const& scratch, DoubleMatrix const& k);

/// Makes the rows of a wide matrix orthonormal: X = L X', L lower triangular, by CholeskyQR2 (Fukaya, Nakatsukasa,
/// Yanagisawa & Yamamoto 2014) with inner products in double. All of it is matrix products, but for the small factor.
/// A row that depends on the rows above it, to within 16 rounding errors of Real (and never finer than 1e-7 of the
/// row, where products in double have their noise), becomes a row of zeros, and stays one.
class RowBasis {
 public:
  /// For at most (max_rows, max_cols).
  RowBasis(std::size_t max_rows, std::size_t max_cols);

  void orthonormalise(ExecSpace const& space, Matrix const& x);
  /// The same subspace at half the cost, orthonormal to within rounding times the condition of x: between iterations.
  void orthonormalise_roughly(ExecSpace const& space, Matrix const& x);
  /// The same, and keeps L for factor().
  void factorise(ExecSpace const& space, Matrix const& x);
  /// L of the last factorise(), (rows, rows).
  DoubleMatrix factor() const { return corner_of(factor_, rows_, rows_); }

 private:
  void pass(ExecSpace const& space, Matrix const& x, Matrix const& out);
  DoubleMatrix wide_, product_, lower_, inverse_;
  Matrix turned_, rotation_;
  DoubleMatrix first_lower_, factor_;
  std::size_t max_rows_, rows_ = 0;
};

}  // namespace minidad
