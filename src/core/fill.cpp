// SPDX-License-Identifier: BSD-3-Clause
#include "core/fill.hpp"

#include "core/for_each_element.hpp"

namespace minidad {

void fill(ExecSpace const& space, Matrix const& x, Real value) {
  for_each_element(
      "minidad::core::fill", space, x.extent(0), x.extent(1),
      KOKKOS_LAMBDA(std::size_t row, std::size_t col) { x(row, col) = value; });
}

void fill(ExecSpace const& space, Vector const& x, Real value) { fill(space, Matrix(x.data(), x.extent(0), 1), value); }

}  // namespace minidad
