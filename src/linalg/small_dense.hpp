// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "linalg/gemm.hpp"

namespace minidad {

// Dense problems of at most a few hundred rows, solved on the host in double by LAPACK. Matrices are row-major and
// contiguous. The solvers own LAPACK's workspace, so nothing is allocated in a step. A matrix that holds a NaN or an
// infinity is not given to LAPACK; its results are all NaN.

/// Eigenvalues and eigenvectors of a symmetric matrix.   LAPACK dsyevd.
class SymmetricEigen {
 public:
  explicit SymmetricEigen(std::size_t max_n);
  /// a: (n, n). Only values are computed unless `vectors` is wanted.
  void solve(std::span<double const> a, std::size_t n, bool vectors = true);

  std::span<double const> values() const { return {values_.data(), n_}; }  ///< descending
  /// The eigenvector of values()[j], length n.
  std::span<double const> vector(std::size_t j) const { return {a_.data() + (n_ - 1 - j) * n_, n_}; }

 private:
  std::size_t n_ = 0;
  std::vector<double> a_, values_, work_;
  std::vector<int> integer_work_;
};

/// Singular values and vectors, A = sum over j of value_j left_j right_jᵀ.   LAPACK dgesdd.
class SmallSvd {
 public:
  SmallSvd(std::size_t max_rows, std::size_t max_cols);
  void solve(std::span<double const> a, std::size_t rows, std::size_t cols);

  std::span<double const> values() const { return {values_.data(), k_}; }  ///< descending, min(rows, cols) of them
  double const* left() const { return left_.data(); }                      ///< (rows, k): left vectors in columns
  double const* right() const { return right_.data(); }                    ///< (k, cols): right vectors in rows

 private:
  std::size_t k_ = 0;
  std::vector<double> a_, values_, left_, right_, work_;
  std::vector<int> integer_work_;
};

/// c (m, n) <- op(a) op(b), with op(a) (m, k) and op(b) (k, n).   BLAS dgemm.
void multiply_small(Op op_a, Op op_b, std::size_t m, std::size_t n, std::size_t k, double const* a, double const* b,
                    double* c);

}  // namespace minidad
