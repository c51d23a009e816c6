// SPDX-License-Identifier: BSD-3-Clause
#include "train/gradient_norm.hpp"

#include "core/fill.hpp"
#include "core/kokkos_compat.hpp"
#include "core/row_team.hpp"

namespace minidad {

namespace {

constexpr std::size_t block = on_host ? 4096 : 1024;  ///< scalars that a row of the kernel adds up

KOKKOS_INLINE_FUNCTION double square(Real x) { return static_cast<double>(x) * static_cast<double>(x); }

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
  for_each_row(
      "minidad::train::block_squares", space, blocks, KOKKOS_LAMBDA(TeamMember const& team, std::size_t b) {
        Real const* const x = gradient.data() + b * block;
        auto const sum =
            sum_along<double>(team, math::min(block, size - b * block), [=](std::size_t i) { return square(x[i]); });
        Kokkos::single(Kokkos::PerThread(team), [&]() { partial(b) = sum; });
      });
  for_each_row(
      "minidad::train::gradient_norm", space, 1, KOKKOS_LAMBDA(TeamMember const& team, std::size_t) {
        auto const sum = sum_along<double>(team, blocks, [=](std::size_t b) { return partial(b); });
        Kokkos::single(Kokkos::PerThread(team), [&]() {
          norm() = math::sqrt(sum);
          factor(0) = static_cast<Real>(longest > 0 && norm() > longest ? longest / norm() : 1.0);
        });
      });
}

double GradientNorm::value(ExecSpace const& space) const {
  double value = 0;
  Kokkos::deep_copy(space, value, norm_);
  fence(space, "minidad::train::gradient_norm_known");
  return value;
}

}  // namespace minidad
