// SPDX-License-Identifier: BSD-3-Clause
#include "train/optimiser.hpp"

#include <cmath>

#include "core/error.hpp"
#include "core/for_each_element.hpp"
#include "core/kokkos_compat.hpp"

namespace minidad {

namespace {

// The rules: from the gradient g and the parameter x to the next one, with up to two numbers of state.

struct Plain {
  static constexpr int state = 0;
  Real rate, decay;
  KOKKOS_FUNCTION Real operator()(Real g, Real x, Real&, Real&) const { return x - rate * (g + decay * x); }
};

struct Momentum {
  static constexpr int state = 1;
  Real rate, decay, momentum;
  KOKKOS_FUNCTION Real operator()(Real g, Real x, Real& v, Real&) const {
    v = momentum * v + (g + decay * x);
    return x - rate * v;
  }
};

struct Nesterov {
  static constexpr int state = 1;
  Real rate, decay, momentum;
  KOKKOS_FUNCTION Real operator()(Real g, Real x, Real& v, Real&) const {
    Real const slope = g + decay * x;
    v = momentum * v + slope;
    return x - rate * (slope + momentum * v);
  }
};

struct Adam {
  static constexpr int state = 2;
  Real beta1, new1, beta2, new2;  // new = 1 - beta
  Real rate;                      // rate / (1 - beta1^t)
  Real root;                      // 1 / sqrt(1 - beta2^t)
  Real epsilon;
  Real decay;   // joins the gradient
  Real shrink;  // rate decay: decoupled
  KOKKOS_FUNCTION Real operator()(Real g, Real x, Real& m, Real& v) const {
    Real const slope = g + decay * x;
    m = beta1 * m + new1 * slope;
    v = beta2 * v + new2 * slope * slope;
    return x - (shrink * x + rate * m / (math::sqrt(v) * root + epsilon));
  }
};

/// Of update t. Its powers are worked out in double: 1 - beta2^t loses digits in float.
Adam adam(OptimiserSettings const& s, double rate, std::int64_t t) {
  double const beta1 = static_cast<Real>(s.beta1), beta2 = static_cast<Real>(s.beta2);  // as the kernel has them
  bool const decoupled = s.method == "adamw";
  return {.beta1 = static_cast<Real>(beta1),
          .new1 = static_cast<Real>(1 - beta1),
          .beta2 = static_cast<Real>(beta2),
          .new2 = static_cast<Real>(1 - beta2),
          .rate = static_cast<Real>(rate / (1 - std::pow(beta1, t))),
          .root = static_cast<Real>(1 / std::sqrt(1 - std::pow(beta2, t))),
          .epsilon = static_cast<Real>(s.epsilon),
          .decay = static_cast<Real>(decoupled ? 0 : s.weight_decay),
          .shrink = static_cast<Real>(decoupled ? rate * s.weight_decay : 0)};
}

/// What an update works on. A rule without state leaves `first` and `second` empty.
struct Vectors {
  Vector gradient, factor, parameters, first{}, second{};
};

/// Applies a rule to all parameters; returns how many of the new ones are not finite.
template <class Rule>
std::int64_t update_each(char const* label, ExecSpace const& space, Vectors const& vectors, Rule const& rule) {
  auto const g = vectors.gradient, x = vectors.parameters, first = vectors.first, second = vectors.second;
  auto const factor = vectors.factor;
  bool const shortened = factor.extent(0) > 0;
  // On a host a work item is a run of elements, which the compiler vectorises.
  std::size_t const size = x.extent(0), strip = on_host ? 256 : 1;
  std::int64_t bad = 0;
  Kokkos::parallel_reduce(
      label, Kokkos::RangePolicy<ExecSpace>(space, 0, (size + strip - 1) / strip),
      KOKKOS_LAMBDA(std::size_t item, std::int64_t & count) {
        Rule const mine = rule;  // a copy that no store can alias
        Real const scale = shortened ? factor(0) : Real(1);
        int here = 0;
        for (std::size_t i = item * strip, end = math::min(size, i + strip); i < end; ++i) {
          Real a = Rule::state > 0 ? first(i) : 0, b = Rule::state > 1 ? second(i) : 0;
          Real const next = mine(scale * g(i), x(i), a, b);
          if (Rule::state > 0) first(i) = a;
          if (Rule::state > 1) second(i) = b;
          x(i) = next;
          here += next - next == 0 ? 0 : 1;  // a NaN minus itself is one, and so is an infinity
        }
        count += here;
      },
      bad);
  return bad;
}

}  // namespace

int state_per_parameter(OptimiserSettings const& settings) {
  if (settings.method == "sgd") return settings.momentum == 0 ? 0 : 1;
  return 2;
}

Optimiser::Optimiser(OptimiserSettings const& settings, std::size_t parameters) : settings_(settings) {
  auto const state = state_per_parameter(settings);
  if (state == 1) velocity_ = Vector("minidad::train::velocity", parameters);
  if (state < 2) return;
  moment1_ = Vector("minidad::train::moment1", parameters);
  moment2_ = Vector("minidad::train::moment2", parameters);
}

std::int64_t Optimiser::update(ExecSpace const& space, double rate, Vector const& gradient, Vector const& parameters,
                               Vector const& factor) {
  require(gradient.extent(0) == parameters.extent(0), "Optimiser: one gradient per parameter");
  auto const& s = settings_;
  if (s.method != "sgd")
    return update_each("minidad::train::adam", space, {gradient, factor, parameters, moment1_, moment2_},
                       adam(s, rate, ++updates_));
  auto const eta = static_cast<Real>(rate), decay = static_cast<Real>(s.weight_decay),
             momentum = static_cast<Real>(s.momentum);
  if (s.momentum == 0)
    return update_each("minidad::train::sgd", space, {gradient, factor, parameters}, Plain{eta, decay});
  Vectors const vectors{gradient, factor, parameters, velocity_};
  if (s.nesterov) return update_each("minidad::train::sgd_nesterov", space, vectors, Nesterov{eta, decay, momentum});
  return update_each("minidad::train::sgd_momentum", space, vectors, Momentum{eta, decay, momentum});
}

void Optimiser::visit_state(StateVisitor& visitor, Scope scope) {
  auto const state = state_per_parameter(settings_);
  if (state == 1) visitor.array("velocity", scope, velocity_);
  if (state < 2) return;
  visitor.array("moment1", scope, moment1_);
  visitor.array("moment2", scope, moment2_);
  visitor.value("updates", Scope::common, updates_);
  visitor.expect(updates_ >= 0, "optimiser/updates is " + std::to_string(updates_) + ", it must not be negative");
}

}  // namespace minidad
