// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <type_traits>

#include "core/types.hpp"

namespace minidad {

/// Every element <- value. (Kokkos::deep_copy does the same under a label of its own.)
/// Scalar is float or double.
template <class Scalar>
void fill(ExecSpace const& space, MatrixOf<Scalar> const& x, std::type_identity_t<Scalar> value);
void fill(ExecSpace const& space, Vector const& x, Real value);

}  // namespace minidad
