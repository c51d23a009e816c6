// SPDX-License-Identifier: BSD-3-Clause
#include "nn/activation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "core/for_each_element.hpp"
#include "core/kokkos_compat.hpp"

namespace minidad {

namespace {

// Each activation: its value at z, and its derivative from the output a.
struct Identity {
  KOKKOS_INLINE_FUNCTION static Real value(Real z) { return z; }
  KOKKOS_INLINE_FUNCTION static Real derivative(Real) { return 1; }
};
struct Relu {
  KOKKOS_INLINE_FUNCTION static Real value(Real z) { return z > 0 ? z : Real(0); }
  KOKKOS_INLINE_FUNCTION static Real derivative(Real a) { return a > 0 ? Real(1) : Real(0); }
};
struct Tanh {
  KOKKOS_INLINE_FUNCTION static Real value(Real z) { return math::tanh(z); }
  KOKKOS_INLINE_FUNCTION static Real derivative(Real a) { return 1 - a * a; }
};
struct Sigmoid {
  KOKKOS_INLINE_FUNCTION static Real value(Real z) { return 1 / (1 + math::exp(-z)); }
  KOKKOS_INLINE_FUNCTION static Real derivative(Real a) { return a * (1 - a); }
};
struct LeakyRelu {
  static constexpr Real slope = Real(0.01);
  KOKKOS_INLINE_FUNCTION static Real value(Real z) { return z > 0 ? z : slope * z; }
  KOKKOS_INLINE_FUNCTION static Real derivative(Real a) { return a > 0 ? Real(1) : slope; }
};
struct Elu {
  KOKKOS_INLINE_FUNCTION static Real value(Real z) { return z > 0 ? z : math::expm1(z); }
  KOKKOS_INLINE_FUNCTION static Real derivative(Real a) { return a > 0 ? Real(1) : a + 1; }
};
struct
    Softplus {  // log(1 + exp z) without overflow; its derivative 1 / (1 + exp -z) = 1 - exp(-a) without cancellation
  KOKKOS_INLINE_FUNCTION static Real value(Real z) {
    return math::max(z, Real(0)) + math::log1p(math::exp(-math::abs(z)));
  }
  KOKKOS_INLINE_FUNCTION static Real derivative(Real a) { return -math::expm1(-a); }
};
struct Softsign {
  KOKKOS_INLINE_FUNCTION static Real value(Real z) { return z / (1 + math::abs(z)); }
  KOKKOS_INLINE_FUNCTION static Real derivative(Real a) { return (1 - math::abs(a)) * (1 - math::abs(a)); }
};

template <class Phi>
void activate_all(ExecSpace const& space, Matrix const& z) {
  for_each_element(
      "minidad::nn::activate", space, z.extent(0), z.extent(1),
      KOKKOS_LAMBDA(std::size_t row, std::size_t col) { z(row, col) = Phi::value(z(row, col)); });
}

template <class Phi>
void add_and_activate(ExecSpace const& space, Vector const& bias, Matrix const& z) {
  for_each_element(
      "minidad::nn::add_bias_and_activate", space, z.extent(0), z.extent(1),
      KOKKOS_LAMBDA(std::size_t row, std::size_t col) { z(row, col) = Phi::value(z(row, col) + bias(col)); });
}

template <class Phi>
void differentiate(ExecSpace const& space, Matrix const& a, Matrix const& delta) {
  for_each_element(
      "minidad::nn::multiply_by_derivative", space, delta.extent(0), delta.extent(1),
      KOKKOS_LAMBDA(std::size_t row, std::size_t col) { delta(row, col) *= Phi::derivative(a(row, col)); });
}

/// f(an object of the class of phi).
template <class F>
void with(Activation phi, F const& f) {
  switch (phi) {
    case Activation::identity: return f(Identity());
    case Activation::relu: return f(Relu());
    case Activation::tanh: return f(Tanh());
    case Activation::sigmoid: return f(Sigmoid());
    case Activation::leaky_relu: return f(LeakyRelu());
    case Activation::elu: return f(Elu());
    case Activation::softplus: return f(Softplus());
    case Activation::softsign: return f(Softsign());
  }
}

}  // namespace

Activation activation_named(std::string const& name) {
  for (std::size_t i = 0; i < activation_names.size(); ++i)
    if (name == activation_names[i]) return static_cast<Activation>(i);
  refuse(fmt::format("activation '{}' is unknown; there are {}", name, fmt::join(activation_names, ", ")));
}

void add_bias_and_activate(ExecSpace const& space, Activation phi, Vector const& bias, Matrix const& z) {
  require(bias.extent(0) == z.extent(1), "add_bias_and_activate: one bias per column");
  with(phi, [&](auto kind) { add_and_activate<decltype(kind)>(space, bias, z); });
}

void activate(ExecSpace const& space, Activation phi, Matrix const& z) {
  if (phi != Activation::identity) with(phi, [&](auto kind) { activate_all<decltype(kind)>(space, z); });
}

void multiply_by_derivative(ExecSpace const& space, Activation phi, Matrix const& a, Matrix const& delta) {
  require(a.extent(0) == delta.extent(0) && a.extent(1) == delta.extent(1), "multiply_by_derivative: shapes differ");
  if (phi != Activation::identity) with(phi, [&](auto kind) { differentiate<decltype(kind)>(space, a, delta); });
}

}  // namespace minidad
