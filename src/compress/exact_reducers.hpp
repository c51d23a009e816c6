// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "compress/shortened.hpp"
#include "compress/spectrum.hpp"
#include "linalg/row_basis.hpp"
#include "linalg/small_dense.hpp"
#include "linalg/small_transfer.hpp"

namespace minidad {

/// The best approximation from the inner products of the rows, without forming G (K_A = AAᵀ = E_A L_A E_Aᵀ, likewise
/// K_D):
///   L_A^1/2 E_AᵀE_D L_D^1/2 = X S Yᵀ,   A' = Xᵀ L_A^-1/2 E_Aᵀ A,   D' = S Yᵀ L_D^-1/2 E_Dᵀ D;
/// S are the singular values of G. In double throughout: products in Real would cost half the digits.
class GramReducer final : public RowReducer {
 public:
  explicit GramReducer(ReducerShape const& shape);
  void reduce(ExecSpace const& space, Factors const& given, Factors const& few) override;
  std::span<double const> values() const override { return svd_.values(); }
  double norm_squared(ExecSpace const&) override { return sum_of_squares(values()); }

 private:
  /// One of the two sides: its rows in double, their inner products, and the root of those.
  struct Side {
    Side(std::size_t max_rows, std::size_t cols, std::size_t few);
    void decompose(ExecSpace const& space, Matrix const& x);
    /// few <- the rows that host_coefficient (few, n) makes of x.
    void combine(ExecSpace const& space, Matrix const& few);

    DoubleMatrix wide, product, few_wide, coefficient;
    SmallTransfer transfer;
    SymmetricEigen eigen;
    std::vector<double> root;  ///< (rank, n): L^1/2 Eᵀ
    std::vector<double> host_coefficient;
    std::size_t n = 0, rank = 0;
  };
  void form_coefficients(bool left, Side& side, std::size_t few) const;

  Shortened shorten_;
  Side input_, delta_;
  std::vector<double> core_;
  SmallSvd svd_;
};

/// The best approximation from thin QR factorisations A = L_A Q_A, D = L_D Q_D of the rows:
///   L_AᵀL_D = X S Yᵀ,   A' = Xᵀ Q_A,   D' = S Yᵀ Q_D.
/// The factorisation is CholeskyQR2 on the device (RowBasis), the small problem LAPACK's on the host.
class QrReducer final : public RowReducer {
 public:
  explicit QrReducer(ReducerShape const& shape);
  void reduce(ExecSpace const& space, Factors const& given, Factors const& few) override;
  std::span<double const> values() const override { return svd_.values(); }
  double norm_squared(ExecSpace const&) override { return sum_of_squares(values()); }

 private:
  Shortened shorten_;
  RowBasis input_basis_, delta_basis_;
  Factors basis_;
  DoubleMatrix core_;
  Matrix coefficient_;
  std::vector<double> host_coefficient_;
  SmallTransfer transfer_;
  SmallSvd svd_;
};

}  // namespace minidad
