// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "core/types.hpp"

namespace minidad {

/// sum(c) <- the sum over rows of x(:, c), in row order: the same bits for any number of threads.
void column_sums(ExecSpace const& space, Matrix const& x, Vector const& sum);

/// packed(r, :) <- [left(r, :) | right(r, :)].   left (rows, a), right (rows, b), packed (rows, a + b).
void pack_rows(ExecSpace const& space, Matrix const& left, Matrix const& right, Matrix const& packed);

/// to <- from, shapes alike; either may be part of a wider matrix.
void copy_rows(ExecSpace const& space, Matrix const& from, Matrix const& to);

}  // namespace minidad
