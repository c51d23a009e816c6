// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "core/types.hpp"

namespace minidad {

/// Every element <- value. (Kokkos::deep_copy does the same under a label of its own.)
void fill(ExecSpace const& space, Matrix const& x, Real value);
void fill(ExecSpace const& space, Vector const& x, Real value);

}  // namespace minidad
