// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace minidad {

/// Fletcher's checksum as HDF5's filter H5Z_FILTER_FLETCHER32 defines it: over 16-bit words, the first byte on top.
/// The filter stores it behind the chunk, the lowest byte first.
std::uint32_t fletcher32(std::span<std::byte const> bytes);

}  // namespace minidad
