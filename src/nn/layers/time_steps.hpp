// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "core/sample_shape.hpp"
#include "core/types.hpp"
#include "nn/layer.hpp"

namespace minidad {

// What recurrent layers have in common. A row of their A is [x_t | h_{t-1}], all steps of a sample one after another.

/// Step t of each sample: columns of a matrix with a row per place, (samples, end - begin).
inline Matrix step_of(Matrix const& values, std::size_t steps, std::size_t t, std::size_t begin, std::size_t end) {
  auto const width = values.extent(1);
  Matrix const samples(values.data(), values.extent(0) / steps, steps * width);
  return columns_of(samples, t * width + begin, t * width + end);
}

/// A <- [x | 0] and D <- 1 biasᵀ + [x W | 0], W (channels, up to the width of D): all that does not wait for another
/// step.
void begin_steps(ExecSpace const& space, Matrix const& x, Matrix const& weight, Vector const& bias, Place const& at);

}  // namespace minidad
