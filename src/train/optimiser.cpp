// SPDX-License-Identifier: BSD-3-Clause
#include "train/optimiser.hpp"

#include "core/error.hpp"

namespace minidad {

namespace {

using All = Kokkos::RangePolicy<ExecSpace>;

struct Factors {
  Real rate, momentum, decay;
};

/// x(i) <- step(i) for all i; returns how many are not finite.
template <class Step>
std::int64_t update_each(char const* label, ExecSpace const& space, Vector const& x, Step const& step) {
  std::int64_t bad = 0;
  Kokkos::parallel_reduce(
      label, All(space, 0, x.extent(0)),
      KOKKOS_LAMBDA(std::size_t i, std::int64_t & count) {
        Real const next = step(i);
        x(i) = next;
        count += next - next == 0 ? 0 : 1;  // a NaN minus itself is one, and so is an infinity
      },
      bad);
  return bad;
}

std::int64_t plain(ExecSpace const& space, Factors const& f, Vector const& g, Vector const& x) {
  return update_each(
      "minidad::train::sgd", space, x,
      KOKKOS_LAMBDA(std::size_t i) { return x(i) - f.rate * (g(i) + f.decay * x(i)); });
}

std::int64_t with_momentum(ExecSpace const& space, Factors const& f, Vector const& g, Vector const& v,
                           Vector const& x) {
  return update_each(
      "minidad::train::sgd_momentum", space, x, KOKKOS_LAMBDA(std::size_t i) {
        Real const next = f.momentum * v(i) + (g(i) + f.decay * x(i));
        v(i) = next;
        return x(i) - f.rate * next;
      });
}

std::int64_t with_nesterov(ExecSpace const& space, Factors const& f, Vector const& g, Vector const& v,
                           Vector const& x) {
  return update_each(
      "minidad::train::sgd_nesterov", space, x, KOKKOS_LAMBDA(std::size_t i) {
        Real const slope = g(i) + f.decay * x(i), next = f.momentum * v(i) + slope;
        v(i) = next;
        return x(i) - f.rate * (slope + f.momentum * next);
      });
}

}  // namespace

Sgd::Sgd(OptimiserSettings const& settings, std::size_t parameters) : settings_(settings) {
  if (settings.momentum != 0) velocity_ = Vector("minidad::train::velocity", parameters);
}

std::int64_t Sgd::update(ExecSpace const& space, double rate, Vector const& gradient, Vector const& parameters) {
  require(gradient.extent(0) == parameters.extent(0), "Sgd: one gradient per parameter");
  Factors const f{static_cast<Real>(rate), static_cast<Real>(settings_.momentum),
                  static_cast<Real>(settings_.weight_decay)};
  if (settings_.momentum == 0) return plain(space, f, gradient, parameters);
  if (settings_.nesterov) return with_nesterov(space, f, gradient, velocity_, parameters);
  return with_momentum(space, f, gradient, velocity_, parameters);
}

void Sgd::visit_state(StateVisitor& visitor, Scope scope) {
  if (settings_.momentum != 0) visitor.array("velocity", scope, velocity_);
}

}  // namespace minidad
