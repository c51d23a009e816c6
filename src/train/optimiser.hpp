// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <string>

#include "core/state.hpp"
#include "core/types.hpp"

namespace minidad {

inline constexpr std::array<char const*, 3> optimiser_names{"sgd", "adam", "adamw"};

struct OptimiserSettings {
  std::string method = "sgd";         ///< one of optimiser_names
  double momentum = 0.9;              ///< "sgd"
  bool nesterov = false;              ///< "sgd"
  double beta1 = 0.9, beta2 = 0.999;  ///< "adam", "adamw": what stays of the moments, in [0, 1)
  double epsilon = 1e-8;              ///< "adam", "adamw": >= 1e-20, beside the root of the second moment
  double weight_decay = 0;            ///< of all parameters, biases included
  double clip_norm = 0;               ///< the gradient's norm is at most that; 0: any
};

/// How many numbers a parameter's state has: 0 (plain SGD), 1 (momentum) or 2 (Adam). Optimisers with the same number
/// can go on from each other's state.
int state_per_parameter(OptimiserSettings const& settings);

/// From the gradient g to the next parameters x, in one fused pass over all of them, in PyTorch's forms:
///   sgd          g <- g + decay x;   v <- momentum v + g;   x <- x - rate (nesterov ? g + momentum v : v)
///   adam         g <- g + decay x;   m <- beta1 m + (1 - beta1) g;   v <- beta2 v + (1 - beta2) g²
///                x <- x - rate m^ / (sqrt(v^) + epsilon),   m^ = m / (1 - beta1^t), v^ = v / (1 - beta2^t)
///                Kingma & Ba 2015 (arXiv 1412.6980), Algorithm 1; t = 1, 2, ... counts updates
///   adamw        the same with x <- x - rate decay x instead of the first line
///                Loshchilov & Hutter 2019 (arXiv 1711.05101), Algorithm 2, with rate for both of its factors
/// Without momentum sgd has no v.
class Optimiser {
 public:
  Optimiser(OptimiserSettings const& settings, std::size_t parameters);

  /// The gradient is multiplied by factor(0), if there is one. Returns how many of the new parameters are not finite.
  std::int64_t update(ExecSpace const& space, double rate, Vector const& gradient, Vector const& parameters,
                      Vector const& factor = {});
  OptimiserSettings const& settings() const { return settings_; }
  /// `scope` is that of the parameters.
  void visit_state(StateVisitor& visitor, Scope scope);

 private:
  OptimiserSettings settings_;
  Vector velocity_;           // "sgd" with momentum
  Vector moment1_, moment2_;  // "adam", "adamw"
  std::int64_t updates_ = 0;  // likewise: t
};

}  // namespace minidad
