// SPDX-License-Identifier: BSD-3-Clause
#include "nn/layers/layer_norm.hpp"

#include "core/fill.hpp"
#include "core/row_team.hpp"
#include "linalg/rows.hpp"

namespace minidad {

namespace {

constexpr Real epsilon = Real(1e-5);
constexpr std::size_t chunk = on_host ? 64 : 16;  ///< rows whose gradients of gain and bias one work item sums

std::size_t chunks_of(std::size_t rows) { return (rows + chunk - 1) / chunk; }

/// Of each row the mean and 1 / sigma.
Matrix moments_of(Place const& at) { return Matrix(at.kept.data(), at.in.extent(0), 2); }

void normalise(ExecSpace const& space, Matrix const& in, Vector const& gain_bias, Matrix const& moments,
               Matrix const& out) {
  auto const cols = in.extent(1);
  for_each_row(
      "minidad::nn::layernorm", space, in.extent(0), KOKKOS_LAMBDA(TeamMember const& team, std::size_t row) {
        Real const *x = &in(row, 0), *gain = gain_bias.data(), *bias = gain + cols, n = static_cast<Real>(cols);
        Real* const y = &out(row, 0);
        Real const mean = sum_along(team, cols, [=](std::size_t col) { return x[col]; }) / n;
        Real const variance =
            sum_along(team, cols, [=](std::size_t col) { return (x[col] - mean) * (x[col] - mean); }) / n;
        Real const scale = 1 / math::sqrt(variance + epsilon);
        along(team, cols, [=](std::size_t col) { y[col] = (x[col] - mean) * scale * gain[col] + bias[col]; });
        Kokkos::single(Kokkos::PerThread(team), [&]() {
          moments(row, 0) = mean;
          moments(row, 1) = scale;
        });
      });
}

/// With n = (x - mean) / sigma and d = gain .* delta_out: (d - mean of d - n mean of (d .* n)) / sigma.
void differentiate_rows(ExecSpace const& space, Matrix const& in, Vector const& gain_bias, Matrix const& moments,
                        Matrix const& delta_out, Matrix const& delta_in) {
  auto const cols = in.extent(1);
  for_each_row(
      "minidad::nn::layernorm_delta", space, in.extent(0), KOKKOS_LAMBDA(TeamMember const& team, std::size_t row) {
        Real const *x = &in(row, 0), *d = &delta_out(row, 0), *gain = gain_bias.data();
        Real* const to = &delta_in(row, 0);
        Real const mean = moments(row, 0), scale = moments(row, 1), n = static_cast<Real>(cols);
        Real const shift = sum_along(team, cols, [=](std::size_t col) { return gain[col] * d[col]; }) / n;
        Real const tilt =
            sum_along(team, cols, [=](std::size_t col) { return gain[col] * d[col] * (x[col] - mean); }) * scale / n;
        along(team, cols, [=](std::size_t col) {
          to[col] = scale * (gain[col] * d[col] - shift - (x[col] - mean) * scale * tilt);
        });
      });
}

/// partial(c, :) <- the gradients of gain and bias from the c-th chunk of rows.
void chunk_sums(ExecSpace const& space, Matrix const& in, Matrix const& moments, Matrix const& delta,
                Matrix const& partial) {
  constexpr std::size_t strip = on_host ? 64 : 1;
  auto const rows = in.extent(0), cols = in.extent(1), strips = (cols + strip - 1) / strip;
  Kokkos::parallel_for(
      "minidad::nn::layernorm_sums", Kokkos::RangePolicy<ExecSpace>(space, 0, partial.extent(0) * strips),
      KOKKOS_LAMBDA(std::size_t item) {
        std::size_t const c = item / strips, begin = (item % strips) * strip, width = math::min(strip, cols - begin);
        Real gain[strip] = {}, bias[strip] = {};
        for (std::size_t row = c * chunk; row < math::min(rows, (c + 1) * chunk); ++row) {
          Real const mean = moments(row, 0), scale = moments(row, 1);
          Real const *x = &in(row, begin), *d = &delta(row, begin);
          for (std::size_t i = 0; i < width; ++i) {
            gain[i] += d[i] * (x[i] - mean) * scale;
            bias[i] += d[i];
          }
        }
        for (std::size_t i = 0; i < width; ++i) {
          partial(c, begin + i) = gain[i];
          partial(c, cols + begin + i) = bias[i];
        }
      });
}

}  // namespace

std::size_t LayerNorm::workspace(std::size_t samples) const {
  return chunks_of(samples * in().places()) * 2 * in().channels;
}

void LayerNorm::initialise(ExecSpace const& space, std::uint64_t, std::uint32_t, LayerParameters const& to) const {
  auto const cols = in().channels;
  fill(space, Matrix(to.rest.data(), 1, cols), 1);
  fill(space, Matrix(to.rest.data() + cols, 1, cols), 0);
}

void LayerNorm::forward(Pass const& pass, LayerParameters const& p, Place const& at) const {
  normalise(pass.space, at.in, p.rest, moments_of(at), at.out);
}

void LayerNorm::propagate(Pass const& pass, LayerParameters const& p, Place const& at) const {
  differentiate_rows(pass.space, at.in, p.rest, moments_of(at), at.delta_out, at.delta_in);
}

void LayerNorm::form_rest(Pass const& pass, LayerParameters const&, Place const& at, Vector const& rest) const {
  Matrix const partial(at.workspace.data(), chunks_of(at.in.extent(0)), rest.extent(0));
  chunk_sums(pass.space, at.in, moments_of(at), at.delta_out, partial);
  column_sums(pass.space, partial, rest);
}

}  // namespace minidad
