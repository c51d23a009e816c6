// SPDX-License-Identifier: BSD-3-Clause
#include "train/optimiser.hpp"

#include "core/error.hpp"

namespace minidad {

namespace {

using All = Kokkos::RangePolicy<ExecSpace>;

struct Factors {
  Real rate, momentum, decay;
};

void plain(ExecSpace const& space, Factors const& f, Vector const& g, Vector const& x) {
  Kokkos::parallel_for(
      "minidad::train::sgd", All(space, 0, x.extent(0)),
      KOKKOS_LAMBDA(std::size_t i) { x(i) -= f.rate * (g(i) + f.decay * x(i)); });
}

void with_momentum(ExecSpace const& space, Factors const& f, Vector const& g, Vector const& v, Vector const& x) {
  Kokkos::parallel_for(
      "minidad::train::sgd_momentum", All(space, 0, x.extent(0)), KOKKOS_LAMBDA(std::size_t i) {
        Real const next = f.momentum * v(i) + (g(i) + f.decay * x(i));
        v(i) = next;
        x(i) -= f.rate * next;
      });
}

void with_nesterov(ExecSpace const& space, Factors const& f, Vector const& g, Vector const& v, Vector const& x) {
  Kokkos::parallel_for(
      "minidad::train::sgd_nesterov", All(space, 0, x.extent(0)), KOKKOS_LAMBDA(std::size_t i) {
        Real const slope = g(i) + f.decay * x(i), next = f.momentum * v(i) + slope;
        v(i) = next;
        x(i) -= f.rate * (slope + f.momentum * next);
      });
}

}  // namespace

Sgd::Sgd(OptimiserSettings const& settings, std::size_t parameters) : settings_(settings) {
  if (settings.momentum != 0) velocity_ = Vector("minidad::train::velocity", parameters);
}

void Sgd::update(ExecSpace const& space, double rate, Vector const& gradient, Vector const& parameters) {
  require(gradient.extent(0) == parameters.extent(0), "Sgd: one gradient per parameter");
  Factors const f{static_cast<Real>(rate), static_cast<Real>(settings_.momentum),
                  static_cast<Real>(settings_.weight_decay)};
  if (settings_.momentum == 0) return plain(space, f, gradient, parameters);
  if (settings_.nesterov) return with_nesterov(space, f, gradient, velocity_, parameters);
  with_momentum(space, f, gradient, velocity_, parameters);
}

void Sgd::visit_state(StateVisitor& visitor, Scope scope) {
  if (settings_.momentum != 0) visitor.array("velocity", scope, velocity_);
}

}  // namespace minidad
