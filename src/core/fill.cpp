// SPDX-License-Identifier: BSD-3-Clause
#include "core/fill.hpp"

#include "core/for_each_element.hpp"

namespace minidad {

template <class Scalar>
void fill(ExecSpace const& space, MatrixOf<Scalar> const& x, std::type_identity_t<Scalar> value) {
  for_each_element(
      "minidad::core::fill", space, x.extent(0), x.extent(1),
      KOKKOS_LAMBDA(std::size_t row, std::size_t col) { x(row, col) = value; });
}

template void fill(ExecSpace const&, MatrixOf<float> const&, float);
template void fill(ExecSpace const&, MatrixOf<double> const&, double);

void fill(ExecSpace const& space, Vector const& x, Real value) { fill(space, Matrix(x.data(), x.extent(0), 1), value); }

}  // namespace minidad
