// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

namespace minidad {

/// How one sample lies in a matrix of values: height × width places, from top to bottom and left to right, each a row
/// of `channels` numbers (NHWC). An image has pixels, a sequence of T steps is T × 1, plain features are 1 × 1. The
/// scalars of a sample are contiguous, so another shape of the same size is another view of the same memory.
struct SampleShape {
  std::size_t height = 1, width = 1, channels = 1;

  std::size_t places() const { return height * width; }
  std::size_t size() const { return places() * channels; }
  bool operator==(SampleShape const&) const = default;
};

}  // namespace minidad
