// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "core/types.hpp"
#include "linalg/factors.hpp"

namespace minidad {

/// sum(c) <- the sum over rows of x(:, c), in row order: the same bits for any number of threads.
void column_sums(ExecSpace const& space, Matrix const& x, Vector const& sum);

/// Over all elements, in double. Ends with the value on the host, so it fences.
double sum_of_squares(ExecSpace const& space, Matrix const& x);

/// How many elements are NaN or infinite. Ends with the number on the host, so it fences.
std::int64_t count_not_finite(ExecSpace const& space, Matrix const& x);

/// packed(r, :) <- [left(r, :) | right(r, :)].   left (rows, a), right (rows, b), packed (rows, a + b).
void pack_rows(ExecSpace const& space, Matrix const& left, Matrix const& right, Matrix const& packed);

/// to <- from, shapes alike; either may be part of a wider matrix. Scalars are float or double, rounded where needed.
template <class From, class To>
void copy_rows(ExecSpace const& space, MatrixOf<From> const& from, MatrixOf<To> const& to);

inline void copy_rows(ExecSpace const& space, Factors const& from, Factors const& to) {
  copy_rows(space, from.input, to.input);
  copy_rows(space, from.delta, to.delta);
}

/// to <- to + from, shapes alike.
void add_rows(ExecSpace const& space, Matrix const& from, Matrix const& to);

/// to <- fromᵀ.
void transpose(ExecSpace const& space, Matrix const& from, Matrix const& to);

/// to <- -from, shapes alike.
void negate_rows(ExecSpace const& space, Matrix const& from, Matrix const& to);

}  // namespace minidad
