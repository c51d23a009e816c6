// SPDX-License-Identifier: BSD-3-Clause
#include "nn/layers/pool.hpp"

#include <fmt/format.h>

#include "core/for_each_element.hpp"
#include "core/kokkos_compat.hpp"

namespace minidad {

namespace {

struct Shapes {
  std::size_t height, width, rows, cols, kernel, stride;  // of the image, and rows × cols windows
};
Shapes shapes_of(Layer const& layer, Window const& window) {
  return {layer.in().height, layer.in().width, layer.out().height, layer.out().width, window.kernel, window.stride};
}

/// On a host a work item has a run of channels, along which the compiler vectorises; on a GPU one channel.
constexpr std::size_t strip = on_host ? 64 : 1;

void take_largest(ExecSpace const& space, Shapes const& s, Matrix const& in, Matrix const& out, Matrix const& taken) {
  std::size_t const channels = in.extent(1), strips = (channels + strip - 1) / strip;
  Kokkos::parallel_for(
      "minidad::nn::maxpool", Kokkos::RangePolicy<ExecSpace>(space, 0, out.extent(0) * strips),
      KOKKOS_LAMBDA(std::size_t item) {
        std::size_t const place = item / strips, begin = item % strips * strip;
        std::size_t const run = math::min(strip, channels - begin);
        std::size_t const x = place % s.cols * s.stride, line = place / s.cols;
        std::size_t const y = line % s.rows * s.stride, sample = line / s.rows;
        std::size_t const first = (sample * s.height + y) * s.width + x;
        Real best[strip] = {}, which[strip] = {};
        for (std::size_t i = 0; i < run; ++i) best[i] = in(first, begin + i);
        for (std::size_t ky = 0; ky < s.kernel; ++ky)
          for (std::size_t kx = 0; kx < s.kernel; ++kx) {
            Real const* const value = &in(first + ky * s.width + kx, begin);
            auto const tap = static_cast<Real>(ky * s.kernel + kx);
            for (std::size_t i = 0; i < run; ++i) {
              bool const better = (value[i] > best[i]) | (value[i] != value[i]);  // nothing is larger than a NaN
              best[i] = better ? value[i] : best[i];
              which[i] = better ? tap : which[i];
            }
          }
        for (std::size_t i = 0; i < run; ++i) out(place, begin + i) = best[i];
        for (std::size_t i = 0; i < run; ++i) taken(place, begin + i) = which[i];
      });
}

/// A pixel gathers from the windows that took it.
void give_back(ExecSpace const& space, Shapes const& s, Matrix const& taken, Matrix const& delta, Matrix const& to) {
  std::size_t const channels = to.extent(1), strips = (channels + strip - 1) / strip;
  Kokkos::parallel_for(
      "minidad::nn::maxpool_delta", Kokkos::RangePolicy<ExecSpace>(space, 0, to.extent(0) * strips),
      KOKKOS_LAMBDA(std::size_t item) {
        std::size_t const pixel = item / strips, begin = item % strips * strip;
        std::size_t const run = math::min(strip, channels - begin);
        std::size_t const x = pixel % s.width, line = pixel / s.width, y = line % s.height, sample = line / s.height;
        Real sum[strip] = {};
        for (std::size_t ky = y % s.stride; ky < s.kernel && ky <= y; ky += s.stride)
          for (std::size_t kx = x % s.stride; kx < s.kernel && kx <= x; kx += s.stride) {
            std::size_t const row = (y - ky) / s.stride, col = (x - kx) / s.stride;
            if (row >= s.rows || col >= s.cols) continue;
            std::size_t const place = (sample * s.rows + row) * s.cols + col;
            Real const *const which = &taken(place, begin), *const d = &delta(place, begin);
            auto const tap = static_cast<Real>(ky * s.kernel + kx);
            for (std::size_t i = 0; i < run; ++i) sum[i] += which[i] == tap ? d[i] : Real(0);
          }
        for (std::size_t i = 0; i < run; ++i) to(pixel, begin + i) = sum[i];
      });
}

void take_mean(ExecSpace const& space, std::size_t places, Matrix const& in, Matrix const& out) {
  auto const channels = in.extent(1);
  std::size_t const strips = (channels + strip - 1) / strip;
  Kokkos::parallel_for(
      "minidad::nn::avgpool", Kokkos::RangePolicy<ExecSpace>(space, 0, out.extent(0) * strips),
      KOKKOS_LAMBDA(std::size_t item) {
        std::size_t const sample = item / strips, begin = item % strips * strip;
        std::size_t const width = math::min(strip, channels - begin);
        Real sum[strip] = {};
        for (std::size_t place = 0; place < places; ++place)
          for (std::size_t i = 0; i < width; ++i) sum[i] += in(sample * places + place, begin + i);
        for (std::size_t i = 0; i < width; ++i) out(sample, begin + i) = sum[i] / static_cast<Real>(places);
      });
}

void spread_mean(ExecSpace const& space, std::size_t places, Matrix const& delta, Matrix const& to) {
  Real const share = 1 / static_cast<Real>(places);
  for_each_element(
      "minidad::nn::avgpool_delta", space, to.extent(0), to.extent(1),
      KOKKOS_LAMBDA(std::size_t row, std::size_t c) { to(row, c) = delta(row / places, c) * share; });
}

void take_last(ExecSpace const& space, std::size_t places, Matrix const& in, Matrix const& out) {
  for_each_element(
      "minidad::nn::last", space, out.extent(0), out.extent(1),
      KOKKOS_LAMBDA(std::size_t sample, std::size_t c) { out(sample, c) = in((sample + 1) * places - 1, c); });
}

void give_last(ExecSpace const& space, std::size_t places, Matrix const& delta, Matrix const& to) {
  for_each_element(
      "minidad::nn::last_delta", space, to.extent(0), to.extent(1), KOKKOS_LAMBDA(std::size_t row, std::size_t c) {
        to(row, c) = row % places + 1 == places ? delta(row / places, c) : Real(0);
      });
}

}  // namespace

std::string MaxPool::describe() const {
  return window_.stride == window_.kernel ? fmt::format("maxpool {}", window_.kernel)
                                          : fmt::format("maxpool {} stride={}", window_.kernel, window_.stride);
}

void MaxPool::forward(Pass const& pass, LayerParameters const&, Place const& at) const {
  take_largest(pass.space, shapes_of(*this, window_), at.in, at.out,
               Matrix(at.kept.data(), at.out.extent(0), at.out.extent(1)));
}

void MaxPool::propagate(Pass const& pass, LayerParameters const&, Place const& at) const {
  give_back(pass.space, shapes_of(*this, window_),
            Matrix(at.kept.data(), at.delta_out.extent(0), at.delta_out.extent(1)), at.delta_out, at.delta_in);
}

void AveragePool::forward(Pass const& pass, LayerParameters const&, Place const& at) const {
  take_mean(pass.space, in().places(), at.in, at.out);
}

void AveragePool::propagate(Pass const& pass, LayerParameters const&, Place const& at) const {
  spread_mean(pass.space, in().places(), at.delta_out, at.delta_in);
}

void Last::forward(Pass const& pass, LayerParameters const&, Place const& at) const {
  take_last(pass.space, in().places(), at.in, at.out);
}

void Last::propagate(Pass const& pass, LayerParameters const&, Place const& at) const {
  give_last(pass.space, in().places(), at.delta_out, at.delta_in);
}

}  // namespace minidad
