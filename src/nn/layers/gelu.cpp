// SPDX-License-Identifier: BSD-3-Clause
#include "nn/layers/gelu.hpp"

#include "core/fast_math.hpp"
#include "core/for_each_element.hpp"

namespace minidad {

namespace {

constexpr Real twice = Real(1.5957691216057308);  // 2 sqrt(2/pi)
constexpr Real cubic = Real(0.044715);

/// (1 + tanh(u)) / 2 = 1 / (1 + exp(-2 u)) for u = sqrt(2/pi) (x + 0.044715 x³).
KOKKOS_INLINE_FUNCTION Real gate(Real x) { return 1 / (1 + fast::exp(-twice * (x + cubic * x * x * x))); }

void apply(ExecSpace const& space, Matrix const& in, Matrix const& out) {
  for_each_element(
      "minidad::nn::gelu", space, in.extent(0), in.extent(1),
      KOKKOS_LAMBDA(std::size_t row, std::size_t col) { out(row, col) = in(row, col) * gate(in(row, col)); });
}

void apply_derivative(ExecSpace const& space, Matrix const& in, Matrix const& delta_out, Matrix const& delta_in) {
  for_each_element(
      "minidad::nn::gelu_derivative", space, in.extent(0), in.extent(1),
      KOKKOS_LAMBDA(std::size_t row, std::size_t col) {
        Real const x = in(row, col), s = gate(x), slope = twice * (1 + 3 * cubic * x * x);
        delta_in(row, col) = delta_out(row, col) * (s + x * s * (1 - s) * slope);
      });
}

}  // namespace

void Gelu::forward(Pass const& pass, LayerParameters const&, Place const& at) const {
  apply(pass.space, at.in, at.out);
}

void Gelu::propagate(Pass const& pass, LayerParameters const&, Place const& at) const {
  apply_derivative(pass.space, at.in, at.delta_out, at.delta_in);
}

}  // namespace minidad
