// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/state.hpp"
#include "linalg/factors.hpp"

namespace minidad {

inline constexpr std::array<char const*, 4> solver_names{"gram", "qr", "block", "author"};

/// How many rows become few.
struct ReducerSettings {
  std::string solver = "block";   ///< one of solver_names
  std::int64_t sweeps = 1;        ///< "block": power iterations a step; "author": power iterations a component
  std::int64_t oversampling = 4;  ///< "block": columns iterated beyond those that are wanted
  bool warm_start = true;         ///< "block": begin where the last step ended
  bool drop_last = true;          ///< "author": lose the last component, as the published code does
};

/// The sizes of one layer's problem.
struct ReducerShape {
  std::size_t in, out;
  std::size_t max_rows;  ///< of what is given
  std::size_t few;       ///< of what is wanted
};

/// Replaces many rows (A, D) by few (A', D') whose product A'ᵀD' is close to G = AᵀD, and of them the first r make the
/// best product that r rows can ("gram", "qr": the best there is). Its width may exceed the rows or the layer: what is
/// beyond the rank of G is rows of zeros. Rows that hold a NaN give rows of NaN.
class RowReducer {
 public:
  virtual ~RowReducer() = default;

  /// few <- rows. The rows of few.input are orthonormal (or zero), row j of few.delta carries the j-th singular value
  /// ("author": neither).
  virtual void reduce(ExecSpace const& space, Factors const& rows, Factors const& few) = 0;

  /// The singular values that the last reduce() found, descending: of G itself for "gram" and "qr", all of them; of the
  /// part of G in the subspace for "block".
  virtual std::span<double const> values() const = 0;
  /// ||G||²_F of the last reduce(). Not free for "block": asks the device.
  virtual double norm_squared(ExecSpace const& space) = 0;
  /// What one reduce() leaves to the next.
  virtual void visit_state(StateVisitor&) {}
};

/// `seed` selects the random start ("block", "author"): calls with the same seed start alike.
std::unique_ptr<RowReducer> make_row_reducer(ReducerSettings const& settings, ReducerShape const& shape,
                                             std::uint64_t seed);

}  // namespace minidad
