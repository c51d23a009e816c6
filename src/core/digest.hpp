// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string_view>

#include "core/types.hpp"

namespace minidad {

/// Splitmix64's finaliser: invertible, and every input bit reaches every output bit.
KOKKOS_INLINE_FUNCTION std::uint64_t scramble(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

/// FNV-1a of a text.
std::uint64_t digest(std::string_view text);

/// A digest of the bits of `values`, independent of the order in which threads visit them; 0.0 and -0.0 differ.
/// Ends with the value on the host, so it fences.
std::uint64_t digest(ExecSpace const& space, Vector const& values);

}  // namespace minidad
