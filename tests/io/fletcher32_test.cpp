// SPDX-License-Identifier: BSD-3-Clause
#include "io/fletcher32.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace minidad {

namespace {

/// By its definition, word by word.
std::uint32_t by_definition(std::vector<std::byte> bytes) {
  if (bytes.size() % 2 == 1) bytes.push_back(std::byte{0});
  std::uint32_t first = 0, second = 0;
  auto const add = [](std::uint32_t a, std::uint32_t b) {
    std::uint32_t const sum = a + b;
    return (sum & 0xFFFF) + (sum >> 16);  // zero only when both are
  };
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    first = add(first, std::to_integer<std::uint32_t>(bytes[i]) << 8 | std::to_integer<std::uint32_t>(bytes[i + 1]));
    second = add(second, first);
  }
  return second << 16 | first;
}

}  // namespace

// That it is HDF5's own is seen when HDF5 reads a checkpoint (train/restart_test).
TEST(Fletcher32, EqualsItsDefinition) {
  std::mt19937 engine(5);
  for (std::size_t const size : {0, 1, 2, 3, 8, 719, 720, 721, 722, 100001})
    for (unsigned const top : {0u, 1u, 255u}) {  // zeros, few bits, all bits
      std::vector<std::byte> bytes(size);
      for (auto& byte : bytes) byte = static_cast<std::byte>(top == 255 ? 255 - engine() % 2 : engine() % (top + 1));
      EXPECT_EQ(fletcher32(bytes), by_definition(bytes)) << size << " " << top;
    }
}

}  // namespace minidad
