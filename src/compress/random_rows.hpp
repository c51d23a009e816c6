// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "core/types.hpp"

namespace minidad {

/// x <- standard normal numbers, a function of (seed, call, position) alone: the same on every rank and device.
void fill_normal(ExecSpace const& space, std::uint64_t seed, std::uint64_t call, Matrix const& x);
/// The same for those rows of x that are zero: a direction that was lost begins anew.
void revive_zero_rows(ExecSpace const& space, std::uint64_t seed, std::uint64_t call, Matrix const& x);
/// x <- uniform in [0, 1), likewise.
void fill_uniform(ExecSpace const& space, std::uint64_t seed, std::uint64_t call, Matrix const& x);

/// A seed of its own for each layer.
inline std::uint64_t layer_seed(std::uint64_t seed, std::size_t layer) {
  return seed ^ (0x9E3779B97F4A7C15ull * (layer + 1));
}

}  // namespace minidad
