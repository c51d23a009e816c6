// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "compress/product_norm.hpp"
#include "compress/row_reducer.hpp"
#include "linalg/row_basis.hpp"
#include "linalg/small_dense.hpp"
#include "linalg/small_transfer.hpp"

namespace minidad {

/// Block power iteration ("structured": only the rows of G = AᵀD are touched), all columns at once:
///   P <- orth(Aᵀ(D Q));   Q <- Dᵀ(A P);   repeated `sweeps` times,
/// so that P Qᵀ = P Pᵀ G, a projection of G: never longer than G, and ||G - P Qᵀ||² = ||G||² - ||Q||². Then Q = U S Vᵀ
/// from its small Gram matrix orders what was found by its singular values; S is what values() tells. With warm start Q
/// is kept, in that order, for the next step: one sweep a step then follows a slowly changing G. Columns that carry
/// nothing begin anew at random.   Halko, Martinsson & Tropp 2011, algorithm 4.4; warm start: Vogels et al. 2019.
class BlockReducer final : public RowReducer {
 public:
  BlockReducer(ReducerSettings const& settings, ReducerShape const& shape, std::uint64_t seed);
  void reduce(ExecSpace const& space, Factors const& rows, Factors const& few) override;
  std::span<double const> values() const override { return values_; }
  double norm_squared(ExecSpace const& space) override { return norm_(space, last_); }
  void visit_state(StateVisitor& visitor) override;

 private:
  void iterate(ExecSpace const& space, Factors const& rows);
  void rotate(ExecSpace const& space);

  ReducerSettings settings_;
  std::size_t columns_;
  std::uint64_t seed_, calls_ = 0;
  Factors found_, turned_;  // (columns, in) = Pᵀ, (columns, out) = Qᵀ; turned_: ordered by singular value
  Matrix coordinates_;      // (max_rows, columns)
  RowBasis input_basis_, delta_basis_;
  DoubleMatrix wide_, product_;
  Matrix rotation_;
  SmallTransfer transfer_;
  SymmetricEigen eigen_;
  std::vector<double> values_, host_rotation_;
  std::size_t live_ = 0;  // columns of turned_.delta that are worth starting from
  Factors last_;
  ProductNorm norm_;
};

}  // namespace minidad
