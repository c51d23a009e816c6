// SPDX-License-Identifier: BSD-3-Clause
#include "nn/layers/window.hpp"

#include "core/error.hpp"
#include "core/for_each_element.hpp"
#include "core/kokkos_compat.hpp"

namespace minidad {

namespace {

using Index = std::int64_t;

/// Shapes as signed numbers: windows begin outside of the image.
struct Sliding {
  Index kernel, stride, pad, height, width, channels, rows, cols;  // rows × cols places

  Sliding(Window const& window, SampleShape const& image)
      : kernel(static_cast<Index>(window.kernel)),
        stride(static_cast<Index>(window.stride)),
        pad(static_cast<Index>(window.pad)),
        height(static_cast<Index>(image.height)),
        width(static_cast<Index>(image.width)),
        channels(static_cast<Index>(image.channels)),
        rows(static_cast<Index>(window.places(image, 1).height)),
        cols(static_cast<Index>(window.places(image, 1).width)) {}

  KOKKOS_INLINE_FUNCTION Index line() const { return kernel * channels; }
};

/// Scalars [begin, end) of line `ky` of the patch at (y, x): a run of the image, with zeros where it is outside.
KOKKOS_INLINE_FUNCTION void copy_line(Sliding const& s, Real const* image, Index y, Index x, Index ky, Index begin,
                                      Index end, Real* line) {
  Index const row = y * s.stride + ky - s.pad, col = x * s.stride - s.pad;
  bool const inside = 0 <= row && row < s.height;
  Index const first = inside ? math::min(end, math::max(begin, -col * s.channels)) : end;
  Index const last = inside ? math::max(first, math::min(end, (s.width - col) * s.channels)) : end;
  Real const* const from = image + (row * s.width + col) * s.channels;
  for (Index i = begin; i < first; ++i) line[i] = 0;
  for (Index i = first; i < last; ++i) line[i] = from[i];
  for (Index i = last; i < end; ++i) line[i] = 0;
}

/// Channels [begin, end) of pixel (row, col): the sum over the places that have it under their window.
KOKKOS_INLINE_FUNCTION void gather_pixel(Sliding const& s, Real const* patches, Index row, Index col, Index begin,
                                         Index end, Real* pixel) {
  Index const place = s.kernel * s.line();  // scalars of a patch
  for (Index c = begin; c < end; ++c) pixel[c] = 0;
  for (Index ky = (row + s.pad) % s.stride; ky < s.kernel; ky += s.stride) {
    Index const y = (row + s.pad - ky) / s.stride;
    if (row + s.pad < ky || y >= s.rows) continue;
    for (Index kx = (col + s.pad) % s.stride; kx < s.kernel; kx += s.stride) {
      Index const x = (col + s.pad - kx) / s.stride;
      if (col + s.pad < kx || x >= s.cols) continue;
      Real const* const from = patches + (y * s.cols + x) * place + (ky * s.kernel + kx) * s.channels;
      for (Index c = begin; c < end; ++c) pixel[c] += from[c];
    }
  }
}

}  // namespace

// On a host a work item is a row of the image or of places, which keeps divisions out of the loops; on a GPU a scalar.

void unfold(ExecSpace const& space, Window const& window, SampleShape const& image, Matrix const& images,
            Matrix const& patches) {
  Sliding const s(window, image);
  require(images.extent(1) == image.size() && patches.extent(1) == window.size(image) &&
              patches.extent(0) == images.extent(0) * static_cast<std::size_t>(s.rows * s.cols),
          "unfold: shapes do not fit");
  Index const of_row = on_host ? 1 : s.cols * s.kernel * s.line(), items = s.rows * of_row;
  Kokkos::parallel_for(
      "minidad::nn::unfold",
      Kokkos::RangePolicy<ExecSpace>(space, 0, images.extent(0) * static_cast<std::size_t>(items)),
      KOKKOS_LAMBDA(std::size_t item) {
        auto const number = static_cast<Index>(item), sample = number / items, y = number % items / of_row;
        Real const* const from = &images(static_cast<std::size_t>(sample), 0);
        Real* const to = patches.data() + (sample * s.rows + y) * s.cols * s.kernel * s.line();
        if (on_host) {
          for (Index x = 0; x < s.cols; ++x)
            for (Index ky = 0; ky < s.kernel; ++ky)
              copy_line(s, from, y, x, ky, 0, s.line(), to + (x * s.kernel + ky) * s.line());
        } else {
          Index const rest = number % of_row, i = rest % s.line(), ky = rest / s.line() % s.kernel;
          Index const x = rest / s.line() / s.kernel;
          copy_line(s, from, y, x, ky, i, i + 1, to + (x * s.kernel + ky) * s.line());
        }
      });
}

void fold(ExecSpace const& space, Window const& window, SampleShape const& image, Matrix const& patches,
          Matrix const& images) {
  Sliding const s(window, image);
  require(images.extent(1) == image.size() && patches.extent(1) == window.size(image) &&
              patches.extent(0) == images.extent(0) * static_cast<std::size_t>(s.rows * s.cols),
          "fold: shapes do not fit");
  Index const of_row = on_host ? 1 : s.width * s.channels, items = s.height * of_row;
  Kokkos::parallel_for(
      "minidad::nn::fold", Kokkos::RangePolicy<ExecSpace>(space, 0, images.extent(0) * static_cast<std::size_t>(items)),
      KOKKOS_LAMBDA(std::size_t item) {
        auto const number = static_cast<Index>(item), sample = number / items, row = number % items / of_row;
        Real const* const from = patches.data() + sample * s.rows * s.cols * s.kernel * s.line();
        Real* const to = &images(static_cast<std::size_t>(sample), 0) + row * s.width * s.channels;
        if (on_host) {
          for (Index col = 0; col < s.width; ++col)
            gather_pixel(s, from, row, col, 0, s.channels, to + col * s.channels);
        } else {
          Index const rest = number % of_row, c = rest % s.channels, col = rest / s.channels;
          gather_pixel(s, from, row, col, c, c + 1, to + col * s.channels);
        }
      });
}

}  // namespace minidad
