// SPDX-License-Identifier: BSD-3-Clause
#include "io/fletcher32.hpp"

#include <algorithm>

namespace minidad {

namespace {

std::uint32_t folded(std::uint64_t sum) {
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);  // modulo 65535, with 65535 for a sum that is not 0
  return static_cast<std::uint32_t>(sum);
}

}  // namespace

std::uint32_t fletcher32(std::span<std::byte const> bytes) {
  // first = sum of w_i, second = sum of (n - i) w_i over n words, both modulo 65535. In blocks of 360 words neither
  // overflows 32 bits, and the terms do not depend on each other: the compiler can vectorise them.
  constexpr std::size_t block = 360;
  auto const* const byte = reinterpret_cast<unsigned char const*>(bytes.data());
  std::size_t const words = bytes.size() / 2;
  std::uint64_t first = 0, second = 0;
  for (std::size_t begin = 0; begin < words; begin += block) {
    auto const count = static_cast<std::uint32_t>(std::min(block, words - begin));
    auto const* const here = byte + 2 * begin;
    std::uint32_t plain = 0, weighted = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      std::uint32_t const word =
          static_cast<std::uint32_t>(here[std::size_t{2} * i]) << 8 | here[std::size_t{2} * i + 1];
      plain += word;
      weighted += (count - i) * word;
    }
    second = folded(second + count * first + weighted);
    first = folded(first + plain);
  }
  if (bytes.size() % 2 == 1) {
    first = folded(first + (static_cast<std::uint64_t>(byte[bytes.size() - 1]) << 8));
    second = folded(second + first);
  }
  return static_cast<std::uint32_t>(second << 16 | first);
}

}  // namespace minidad
