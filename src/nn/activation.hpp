// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <string>

#include "core/types.hpp"

namespace minidad {

/// Element-wise non-linearities phi whose derivative is a function of their output a = phi(z): nobody needs to keep z,
/// and a rank that receives a can form phi' itself (edAD). Leaky ReLU has slope 0.01 below zero, ELU the scale 1.
enum class Activation { identity, relu, tanh, sigmoid, leaky_relu, elu, softplus, softsign };
inline constexpr std::array<char const*, 8> activation_names{"identity",   "relu", "tanh",     "sigmoid",
                                                             "leaky_relu", "elu",  "softplus", "softsign"};

/// Throws Error(user) for a name that is not in activation_names.
Activation activation_named(std::string const& name);
inline char const* name(Activation phi) { return activation_names[static_cast<std::size_t>(phi)]; }

/// z(r, c) <- phi(z(r, c) + bias(c)), in one pass.
void add_bias_and_activate(ExecSpace const& space, Activation phi, Vector const& bias, Matrix const& z);

/// z <- phi(z).
void activate(ExecSpace const& space, Activation phi, Matrix const& z);

/// delta(r, c) <- delta(r, c) phi'(.), with phi' from the layer's output a = phi(z).
void multiply_by_derivative(ExecSpace const& space, Activation phi, Matrix const& a, Matrix const& delta);

}  // namespace minidad
