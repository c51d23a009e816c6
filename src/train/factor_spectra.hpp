// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <vector>

#include "linalg/factors.hpp"
#include "linalg/small_dense.hpp"
#include "linalg/small_transfer.hpp"

namespace minidad {

/// The sizes of one G = AᵀD: A (rows, in), D (rows, out).
struct FactorSizes {
  std::size_t in, out, rows;
};

/// All singular values of A, D and G = AᵀD, and the first right singular vectors of G, from inner products in double:
///   K_A = AAᵀ, K_D = DDᵀ = E L Eᵀ, F = E L^1/2:   sigma(G)² = eigenvalues of Fᵀ K_A F = Y S Y,   V = Dᵀ K_A F Y S⁻¹.
/// Nothing is wider than the rows, so G is never formed; where there are more rows than G has on its shorter side, G is
/// formed instead, and the products are those of its shorter side, as are those of A and D when they are tall.
/// Squares lose half the digits: a value is right to within 1e-7 sigma_1(A) sigma_1(D), and that is enough to look at.
/// Rows that hold a NaN or an infinity give NaN.
class FactorSpectra {
 public:
  /// Room for any of `sizes` and for `width` vectors; `by_class`: also for gradient_of().
  FactorSpectra(std::vector<FactorSizes> const& sizes, std::size_t width, bool by_class);

  /// vectors (width, out) <- in rows, the right singular vectors of G; returns how many are told from rounding, the
  /// rest is zero.
  std::size_t evaluate(ExecSpace const& space, Factors const& g, DoubleMatrix const& vectors);
  /// Singular values of the last evaluate(), descending; min(rows, in), min(rows, out), min(rows, in, out) of them.
  std::span<double const> input() const { return input_; }
  std::span<double const> delta() const { return delta_; }
  std::span<double const> gradient() const { return gradient_; }
  /// Those of G with nothing but the given rows of the last evaluate().
  std::span<double const> gradient_of(std::span<std::size_t const> rows);

  /// The side of the largest eigenvalue problem: time grows with its cube.
  static std::size_t largest_problem(std::vector<FactorSizes> const& sizes, bool by_class);
  static std::size_t bytes(std::vector<FactorSizes> const& sizes, std::size_t width, bool by_class);

 private:
  struct Room {
    std::size_t input = 0, delta = 0, folded = 0, side = 0, vectors = 0;
    Room(std::vector<FactorSizes> const& sizes, std::size_t width, bool by_class);
  };
  explicit FactorSpectra(Room const& room, bool by_class);

  std::span<double const> fetch_products(ExecSpace const& space, DoubleMatrix const& x, bool of_rows,
                                         std::vector<double>& host);
  void solve_side(ExecSpace const& space, DoubleMatrix const& x);
  void solve_product(std::span<double const> input_products, std::size_t n, std::size_t most, bool vectors);
  std::size_t few_rows(ExecSpace const& space, DoubleMatrix const& d, DoubleMatrix const& vectors);
  std::size_t many_rows(ExecSpace const& space, DoubleMatrix const& a, DoubleMatrix const& d,
                        DoubleMatrix const& vectors);
  std::size_t tell_vectors(std::size_t width) const;

  bool by_class_;
  std::size_t rows_ = 0, in_ = 0, out_ = 0;  // of the last evaluate()
  DoubleMatrix wide_input_, wide_delta_, folded_, products_, coefficients_;
  SmallTransfer transfer_;
  SymmetricEigen eigen_;
  std::vector<double> input_products_, delta_products_, part_, problem_, factor_, turned_, small_;
  std::vector<double> input_, delta_, gradient_, of_rows_;
};

}  // namespace minidad
