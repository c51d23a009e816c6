// SPDX-License-Identifier: BSD-3-Clause
#include "train/gradient_norm.hpp"

#include "core/fill.hpp"
#include "core/kokkos_compat.hpp"
#include "core/row_team.hpp"

namespace minidad {

namespace {

constexpr std::size_t block = 4096;

/// The sum of squares of x[0, size). On a host in as many partial sums as the compiler needs to vectorise it.
KOKKOS_INLINE_FUNCTION double block_sum([[maybe_unused]] TeamMember const& team, Real const* x, std::size_t size) {
  double sum = 0;
  if constexpr (on_host) {
    constexpr std::size_t lanes = 16;
    double partial[lanes] = {};
    std::size_t i = 0;
    for (; i + lanes <= size; i += lanes)
      for (std::size_t l = 0; l < lanes; ++l)
        partial[l] += static_cast<double>(x[i + l]) * static_cast<double>(x[i + l]);
    for (; i < size; ++i) partial[0] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    for (double const p : partial) sum += p;
  } else {
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, size),
        [&](std::size_t i, double& part) { part += static_cast<double>(x[i]) * static_cast<double>(x[i]); }, sum);
  }
  return sum;
}

}  // namespace

GradientNorm::GradientNorm(std::size_t parameters, double longest)
    : longest_(longest),
      partial_("minidad::train::block_squares", (parameters + block - 1) / block),
      norm_("minidad::train::gradient_norm"),
      factor_("minidad::train::clip_factor", 1) {
  fill(ExecSpace(), factor_, 1);
  fence(ExecSpace(), "minidad::train::clip_factor_set");
}

void GradientNorm::measure(ExecSpace const& space, Vector const& gradient) const {
  auto const partial = partial_;
  auto const norm = norm_;
  auto const factor = factor_;
  auto const blocks = partial.extent(0), size = gradient.extent(0);
  double const longest = longest_;
  Kokkos::parallel_for(
      "minidad::train::block_squares", TeamPolicy(space, static_cast<int>(blocks), on_host ? 1 : 128),
      KOKKOS_LAMBDA(TeamMember const& team) {
        auto const b = static_cast<std::size_t>(team.league_rank()), begin = b * block;
        double const sum = block_sum(team, gradient.data() + begin, math::min(block, size - begin));
        Kokkos::single(Kokkos::PerTeam(team), [&]() { partial(b) = sum; });
      });
  Kokkos::parallel_for(
      "minidad::train::gradient_norm", Kokkos::RangePolicy<ExecSpace>(space, 0, 1), KOKKOS_LAMBDA(std::size_t) {
        double sum = 0;
        for (std::size_t b = 0; b < blocks; ++b) sum += partial(b);
        norm() = math::sqrt(sum);
        factor(0) = static_cast<Real>(longest > 0 && norm() > longest ? longest / norm() : 1.0);
      });
}

double GradientNorm::value(ExecSpace const& space) const {
  double value = 0;
  Kokkos::deep_copy(space, value, norm_);
  fence(space, "minidad::train::gradient_norm_known");
  return value;
}

}  // namespace minidad
