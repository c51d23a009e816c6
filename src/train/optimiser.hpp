// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "core/state.hpp"
#include "core/types.hpp"

namespace minidad {

struct OptimiserSettings {
  double momentum = 0.9;
  bool nesterov = false;
  double weight_decay = 0;  ///< added to the gradient as weight_decay * parameter, biases included
};

/// Stochastic gradient descent with momentum, in PyTorch's form:
///   g <- g + decay x;   v <- momentum v + g;   x <- x - rate (nesterov ? g + momentum v : v).
/// One fused pass over all parameters; without momentum there is no v.
class Sgd {
 public:
  Sgd(OptimiserSettings const& settings, std::size_t parameters);

  /// Returns how many of the new parameters are not finite.
  std::int64_t update(ExecSpace const& space, double rate, Vector const& gradient, Vector const& parameters);
  /// `scope` is that of the parameters.
  void visit_state(StateVisitor& visitor, Scope scope);

 private:
  OptimiserSettings settings_;
  Vector velocity_;
};

}  // namespace minidad
