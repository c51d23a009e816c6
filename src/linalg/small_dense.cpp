// SPDX-License-Identifier: BSD-3-Clause
#include "linalg/small_dense.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"

// LAPACK and BLAS by their Fortran names, which every vendor's library has; LAPACKE is not in all of them.
extern "C" {
void dsyevd_(char const* job, char const* part, int const* n, double* a, int const* lda, double* values, double* work,
             int const* size, int* integer_work, int const* integer_size, int* info);
void dgesdd_(char const* job, int const* m, int const* n, double* a, int const* lda, double* values, double* u,
             int const* ldu, double* vt, int const* ldvt, double* work, int const* size, int* integer_work, int* info);
void dgemm_(char const* op_a, char const* op_b, int const* m, int const* n, int const* k, double const* alpha,
            double const* a, int const* lda, double const* b, int const* ldb, double const* beta, double* c,
            int const* ldc);
}

namespace minidad {

namespace {

bool all_finite(std::span<double const> values) {
  return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
}

void fill_nan(std::vector<double>& values) {
  std::fill(values.begin(), values.end(), std::numeric_limits<double>::quiet_NaN());
}

void check_lapack(int info, char const* routine) {
  if (info != 0) throw Error(ExitCode::run_time, fmt::format("LAPACK's {} failed with info = {}", routine, info));
}

}  // namespace

SymmetricEigen::SymmetricEigen(std::size_t max_n) : a_(max_n * max_n), values_(max_n) {
  int const n = static_cast<int>(max_n), ask = -1;
  double size = 0;
  int integer_size = 0, info = 0;
  dsyevd_("V", "U", &n, a_.data(), &n, values_.data(), &size, &ask, &integer_size, &ask, &info);
  check_lapack(info, "dsyevd");
  work_.resize(static_cast<std::size_t>(size));
  integer_work_.resize(static_cast<std::size_t>(integer_size));
}

void SymmetricEigen::solve(std::span<double const> a, std::size_t n, bool vectors) {
  n_ = n;
  if (n == 0) return;
  if (!all_finite(a)) {
    fill_nan(a_);
    return fill_nan(values_);
  }
  std::copy(a.begin(), a.end(), a_.begin());
  int const size = static_cast<int>(n), work = static_cast<int>(work_.size()),
            integer_work = static_cast<int>(integer_work_.size());
  int info = 0;
  dsyevd_(vectors ? "V" : "N", "U", &size, a_.data(), &size, values_.data(), work_.data(), &work, integer_work_.data(),
          &integer_work, &info);
  check_lapack(info, "dsyevd");
  std::reverse(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(n));  // LAPACK's ascend
}

SmallSvd::SmallSvd(std::size_t max_rows, std::size_t max_cols)
    : a_(max_rows * max_cols),
      values_(std::min(max_rows, max_cols)),
      left_(max_rows * values_.size()),
      right_(max_cols * values_.size()),
      integer_work_(8 * values_.size()) {
  int const m = static_cast<int>(max_cols), n = static_cast<int>(max_rows), k = std::min(m, n), ask = -1;
  double size = 0;
  int info = 0;
  dgesdd_("S", &m, &n, a_.data(), &m, values_.data(), right_.data(), &m, left_.data(), &k, &size, &ask,
          integer_work_.data(), &info);
  check_lapack(info, "dgesdd");
  work_.resize(static_cast<std::size_t>(size));
}

void SmallSvd::solve(std::span<double const> a, std::size_t rows, std::size_t cols) {
  k_ = std::min(rows, cols);
  if (k_ == 0) return;
  if (!all_finite(a)) {
    fill_nan(values_);
    fill_nan(left_);
    return fill_nan(right_);
  }
  std::copy(a.begin(), a.end(), a_.begin());
  // What is row-major here is its transpose to LAPACK: its U are our right vectors, its Vᵀ our left ones.
  int const m = static_cast<int>(cols), n = static_cast<int>(rows), k = static_cast<int>(k_),
            work = static_cast<int>(work_.size());
  int info = 0;
  dgesdd_("S", &m, &n, a_.data(), &m, values_.data(), right_.data(), &m, left_.data(), &k, work_.data(), &work,
          integer_work_.data(), &info);
  check_lapack(info, "dgesdd");
}

void multiply_small(Op op_a, Op op_b, std::size_t m, std::size_t n, std::size_t k, double const* a, double const* b,
                    double* c) {
  if (m == 0 || n == 0) return;
  if (k == 0) return std::fill(c, c + m * n, 0.0), void();
  // Row-major C = op(A) op(B) is column-major Cᵀ = op(B)ᵀ op(A)ᵀ.
  int const rows = static_cast<int>(n), cols = static_cast<int>(m), inner = static_cast<int>(k),
            lda = op_a == Op::transpose ? cols : inner, ldb = op_b == Op::transpose ? inner : rows;
  double const one = 1, zero = 0;
  char const name_a = static_cast<char>(op_a), name_b = static_cast<char>(op_b);
  dgemm_(&name_b, &name_a, &rows, &cols, &inner, &one, b, &ldb, a, &lda, &zero, c, &rows);
}

}  // namespace minidad
