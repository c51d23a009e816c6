// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "compress/product_norm.hpp"
#include "compress/row_reducer.hpp"

namespace minidad {

/// FOR REPRODUCTION ONLY: the sequential power iteration with deflation of the published code (dad_torch), on T = DᵀA,
/// with its defects, which are those of the results published with it:
///   deflation by earlier vectors that are not orthogonal: with few iterations the product is longer than G;
///   the last component is always dropped (switch: drop_last), so `few` rows give few - 1;
///   the tolerance finds only a repetition of the component just before, and then loses both.
/// Component by component, vector by vector, with sums on the host: slow by design of the original.
class AuthorReducer final : public RowReducer {
 public:
  AuthorReducer(ReducerSettings const& settings, ReducerShape const& shape, std::uint64_t seed);
  void reduce(ExecSpace const& space, Factors const& rows, Factors const& few) override;
  std::span<double const> values() const override { return values_; }  ///< as the published code counts: unsorted
  double norm_squared(ExecSpace const& space) override { return norm_(space, last_); }
  void visit_state(StateVisitor& visitor) override { visitor.value("calls", Scope::own, calls_); }

 private:
  /// x <- K x without the components found so far, normalised; K = TTᵀ.
  void iterate(ExecSpace const& space, Factors const& rows, std::size_t found);

  ReducerSettings settings_;
  std::uint64_t seed_, calls_ = 0;
  Matrix vectors_;            // (few, out): b_j
  Matrix x_, next_;           // (1, out)
  Matrix coordinates_, fed_;  // (1, max_rows)
  Matrix products_;           // (max_rows, max_rows): AAᵀ
  std::vector<double> values_;
  Factors last_;
  ProductNorm norm_;
};

}  // namespace minidad
