// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "core/sample_shape.hpp"
#include "core/types.hpp"

namespace minidad {

/// A square that slides over an image, `stride` pixels at a time; `pad` pixels of zeros lie around the image.
struct Window {
  std::size_t kernel, stride = 1, pad = 0;

  /// Whether it fits somewhere, and sees a pixel of the image wherever it is.
  bool fits(SampleShape const& image) const {
    return pad < kernel && kernel <= image.height + 2 * pad && kernel <= image.width + 2 * pad;
  }
  /// A place for each of its positions.
  SampleShape places(SampleShape const& image, std::size_t channels) const {
    return {(image.height + 2 * pad - kernel) / stride + 1, (image.width + 2 * pad - kernel) / stride + 1, channels};
  }
  /// Scalars under it.
  std::size_t size(SampleShape const& image) const { return kernel * kernel * image.channels; }
};

/// What lies under the window at each of its places ("im2col").
/// images (samples, size of one), its rows anywhere; patches (samples places, window.size()): columns in the order
/// (row, column, channel) of the window.
void unfold(ExecSpace const& space, Window const& window, SampleShape const& image, Matrix const& images,
            Matrix const& patches);

/// images <- the sum of all patches where they lie: the transpose of unfold ("col2im"). A pixel gathers from the
/// patches that have it, in a fixed order.
void fold(ExecSpace const& space, Window const& window, SampleShape const& image, Matrix const& patches,
          Matrix const& images);

}  // namespace minidad
