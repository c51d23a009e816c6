// SPDX-License-Identifier: BSD-3-Clause
#include "nn/layers/group_norm.hpp"

#include <fmt/format.h>

#include "core/fill.hpp"
#include "core/for_each_element.hpp"
#include "core/kokkos_compat.hpp"
#include "linalg/rows.hpp"

namespace minidad {

namespace {

constexpr Real epsilon = Real(1e-5);
constexpr std::size_t run_length = 64;  ///< places that one work item sums

std::size_t runs_of(SampleShape const& shape) { return (shape.places() + run_length - 1) / run_length; }

/// Parts of what is kept, (samples, channels) each: an element for every channel of every sample.
enum Part : std::size_t { mean, scale, gain_slope, bias_slope, parts };
Matrix part_of(Matrix const& kept, std::size_t part) {
  auto const channels = kept.extent(1) / parts;
  return columns_of(kept, part * channels, (part + 1) * channels);
}

/// sums(sample, c) <- the sum over places of f(sample, row, c), by way of partial sums of runs of places.
template <class F>
void sum_over_places(std::string const& label, ExecSpace const& space, SampleShape const& shape, Matrix const& partial,
                     Matrix const& sums, F const& f) {
  constexpr std::size_t strip = on_host ? 64 : 1;
  std::size_t const channels = shape.channels, places = shape.places(), runs = runs_of(shape);
  std::size_t const strips = (channels + strip - 1) / strip;
  Kokkos::parallel_for(
      label, Kokkos::RangePolicy<ExecSpace>(space, 0, sums.extent(0) * runs * strips), KOKKOS_LAMBDA(std::size_t item) {
        std::size_t const begin = item % strips * strip, width = math::min(strip, channels - begin);
        std::size_t const run = item / strips % runs, sample = item / strips / runs;
        Real sum[strip] = {};
        for (std::size_t place = run * run_length; place < math::min(places, (run + 1) * run_length); ++place)
          for (std::size_t i = 0; i < width; ++i) sum[i] += f(sample, sample * places + place, begin + i);
        for (std::size_t i = 0; i < width; ++i) partial(sample, run * channels + begin + i) = sum[i];
      });
  for_each_element(
      label, space, sums.extent(0), channels, KOKKOS_LAMBDA(std::size_t sample, std::size_t c) {
        Real sum = 0;
        for (std::size_t run = 0; run < runs; ++run) sum += partial(sample, run * channels + c);
        sums(sample, c) = sum;
      });
}

/// to(sample, c) <- map(the sum of f(sample, channel) over the channels of c's group).
template <class F, class Map>
void sum_over_groups(std::string const& label, ExecSpace const& space, std::size_t groups, Matrix const& to, F const& f,
                     Map const& map) {
  auto const in_group = to.extent(1) / groups;
  for_each_element(
      label, space, to.extent(0), to.extent(1), KOKKOS_LAMBDA(std::size_t sample, std::size_t c) {
        std::size_t const begin = c / in_group * in_group;
        Real sum = 0;
        for (std::size_t i = begin; i < begin + in_group; ++i) sum += f(sample, i);
        to(sample, c) = map(sum);
      });
}

void form_moments(ExecSpace const& space, SampleShape const& shape, std::size_t groups, Place const& at) {
  auto const x = at.in, means = part_of(at.kept, mean), scales = part_of(at.kept, scale);
  auto const partial = at.scratch, sums = part_of(at.kept, gain_slope);  // free until the backward pass
  std::size_t const size = shape.size() / groups;
  auto const count = static_cast<Real>(size);
  sum_over_places(
      "minidad::nn::groupnorm_sums", space, shape, partial, sums,
      KOKKOS_LAMBDA(std::size_t, std::size_t row, std::size_t c) { return x(row, c); });
  sum_over_groups(
      "minidad::nn::groupnorm_mean", space, groups, means,
      KOKKOS_LAMBDA(std::size_t sample, std::size_t c) { return sums(sample, c); },
      KOKKOS_LAMBDA(Real sum) { return sum / count; });
  sum_over_places(
      "minidad::nn::groupnorm_squares", space, shape, partial, sums,
      KOKKOS_LAMBDA(std::size_t sample, std::size_t row, std::size_t c) {
        Real const d = x(row, c) - means(sample, c);
        return d * d;
      });
  sum_over_groups(
      "minidad::nn::groupnorm_scale", space, groups, scales,
      KOKKOS_LAMBDA(std::size_t sample, std::size_t c) { return sums(sample, c); },
      KOKKOS_LAMBDA(Real sum) { return 1 / math::sqrt(sum / count + epsilon); });
}

void normalise(ExecSpace const& space, std::size_t places, Vector const& gain_bias, Place const& at) {
  auto const x = at.in, y = at.out, means = part_of(at.kept, mean), scales = part_of(at.kept, scale);
  auto const channels = x.extent(1);
  for_each_element(
      "minidad::nn::groupnorm", space, x.extent(0), channels, KOKKOS_LAMBDA(std::size_t row, std::size_t c) {
        std::size_t const sample = row / places;
        y(row, c) = (x(row, c) - means(sample, c)) * (scales(sample, c) * gain_bias(c)) + gain_bias(channels + c);
      });
}

void form_slopes(ExecSpace const& space, SampleShape const& shape, Place const& at) {
  auto const x = at.in, d = at.delta_out, means = part_of(at.kept, mean), scales = part_of(at.kept, scale);
  sum_over_places(
      "minidad::nn::groupnorm_bias_slope", space, shape, at.scratch, part_of(at.kept, bias_slope),
      KOKKOS_LAMBDA(std::size_t, std::size_t row, std::size_t c) { return d(row, c); });
  sum_over_places(
      "minidad::nn::groupnorm_gain_slope", space, shape, at.scratch, part_of(at.kept, gain_slope),
      KOKKOS_LAMBDA(std::size_t sample, std::size_t row, std::size_t c) {
        return d(row, c) * (x(row, c) - means(sample, c)) * scales(sample, c);
      });
}

/// With n = (x - mean) scale and d = gain .* delta_out: scale (d - mean of d - n mean of (d .* n)), means over a group.
void differentiate_groups(ExecSpace const& space, SampleShape const& shape, std::size_t groups, Vector const& gain,
                          Place const& at) {
  auto const x = at.in, d = at.delta_out, to = at.delta_in;
  auto const means = part_of(at.kept, mean), scales = part_of(at.kept, scale);
  auto const of_gain = part_of(at.kept, gain_slope), of_bias = part_of(at.kept, bias_slope);
  auto const channels = shape.channels, places = shape.places();
  auto const shift = columns_of(at.scratch, 0, channels), tilt = columns_of(at.scratch, channels, 2 * channels);
  std::size_t const size = shape.size() / groups;
  auto const count = static_cast<Real>(size);
  sum_over_groups(
      "minidad::nn::groupnorm_shift", space, groups, shift,
      KOKKOS_LAMBDA(std::size_t sample, std::size_t c) { return gain(c) * of_bias(sample, c); },
      KOKKOS_LAMBDA(Real sum) { return sum / count; });
  sum_over_groups(
      "minidad::nn::groupnorm_tilt", space, groups, tilt,
      KOKKOS_LAMBDA(std::size_t sample, std::size_t c) { return gain(c) * of_gain(sample, c); },
      KOKKOS_LAMBDA(Real sum) { return sum / count; });
  for_each_element(
      "minidad::nn::groupnorm_delta", space, x.extent(0), channels, KOKKOS_LAMBDA(std::size_t row, std::size_t c) {
        std::size_t const sample = row / places;
        Real const s = scales(sample, c), n = (x(row, c) - means(sample, c)) * s;
        to(row, c) = s * (gain(c) * d(row, c) - shift(sample, c) - n * tilt(sample, c));
      });
}

}  // namespace

std::string GroupNorm::describe() const { return fmt::format("groupnorm groups={}", groups_); }

LayerMemory GroupNorm::memory() const {
  auto const channels = in().channels;
  return {.keeps_input = true, .kept = parts * channels, .scratch = std::max(runs_of(in()), std::size_t{2}) * channels};
}

void GroupNorm::initialise(ExecSpace const& space, std::uint64_t, std::uint32_t, LayerParameters const& to) const {
  auto const channels = in().channels;
  fill(space, Matrix(to.rest.data(), 1, channels), 1);
  fill(space, Matrix(to.rest.data() + channels, 1, channels), 0);
}

void GroupNorm::forward(Pass const& pass, LayerParameters const& p, Place const& at) const {
  form_moments(pass.space, in(), groups_, at);
  normalise(pass.space, in().places(), p.rest, at);
}

void GroupNorm::differentiate(Pass const& pass, LayerParameters const&, Place const& at) const {
  form_slopes(pass.space, in(), at);
}

void GroupNorm::propagate(Pass const& pass, LayerParameters const& p, Place const& at) const {
  differentiate_groups(pass.space, in(), groups_, p.rest, at);
}

void GroupNorm::form_rest(Pass const& pass, LayerParameters const&, Place const& at, Vector const& rest) const {
  auto const channels = in().channels;
  column_sums(pass.space, columns_of(at.kept, gain_slope * channels, parts * channels), rest);
}

}  // namespace minidad
