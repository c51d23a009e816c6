// SPDX-License-Identifier: BSD-3-Clause
#include "core/digest.hpp"

#include <cstring>

namespace minidad {

namespace {

KOKKOS_INLINE_FUNCTION std::uint64_t bits(Real value) {
  std::uint64_t out = 0;
  memcpy(&out, &value, sizeof(Real));  // unqualified: the device's own on a GPU
  return out;
}

}  // namespace

std::uint64_t digest(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325ull;
  for (unsigned char const byte : text) hash = (hash ^ byte) * 0x100000001B3ull;
  return hash;
}

std::uint64_t digest(ExecSpace const& space, Vector const& values) {
  std::uint64_t sum = 0;  // a sum modulo 2^64 does not depend on the order of its terms
  Kokkos::parallel_reduce(
      "minidad::core::digest", Kokkos::RangePolicy<ExecSpace>(space, 0, values.extent(0)),
      KOKKOS_LAMBDA(std::size_t i, std::uint64_t & partial) {
        partial += scramble(bits(values(i)) + scramble(i + 0x9E3779B97F4A7C15ull));
      },
      sum);
  return sum;
}

}  // namespace minidad
