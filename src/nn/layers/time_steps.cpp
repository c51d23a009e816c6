// SPDX-License-Identifier: BSD-3-Clause
#include "nn/layers/time_steps.hpp"

#include "core/for_each_element.hpp"
#include "core/kokkos_compat.hpp"
#include "linalg/gemm.hpp"

namespace minidad {

void begin_steps(ExecSpace const& space, Matrix const& x, Matrix const& weight, Vector const& bias, Place const& at) {
  auto const a = at.input, d = at.delta;
  auto const channels = x.extent(1);
  for_each_element(
      "minidad::nn::place_steps", space, a.extent(0), a.extent(1), KOKKOS_LAMBDA(std::size_t row, std::size_t col) {
        a(row, col) = col < channels ? x(row, math::min(col, channels - 1)) : Real(0);
      });
  for_each_element(
      "minidad::nn::place_bias", space, d.extent(0), d.extent(1),
      KOKKOS_LAMBDA(std::size_t row, std::size_t col) { d(row, col) = bias(col); });
  gemm(space, Op::none, Op::none, 1, x, weight, 1, columns_of(d, 0, weight.extent(1)));
}

}  // namespace minidad
