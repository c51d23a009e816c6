// SPDX-License-Identifier: BSD-3-Clause
#include "core/random.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <vector>

namespace minidad {

void expect_words(Words4 const& found, std::array<std::uint32_t, 4> const& expected) {
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(found.x[i], expected[i]) << "word " << i;
}

// Known answers published with Random123 (kat_vectors, philox4x32 10).
TEST(Philox, MatchesPublishedAnswers) {
  expect_words(philox(0, {{0, 0, 0, 0}}), {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  expect_words(philox(~std::uint64_t{0}, {{~0u, ~0u, ~0u, ~0u}}), {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  expect_words(philox(0x299f31d0a4093822u, {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}),
               {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST(Permutation, IsOneForEverySize) {
  for (std::uint32_t n = 1; n <= 300; ++n) {
    Permutation const permutation(11, 2, 3, n);
    std::set<std::uint32_t> seen;
    for (std::uint32_t i = 0; i < n; ++i) {
      EXPECT_LT(permutation(i), n);
      seen.insert(permutation(i));
    }
    EXPECT_EQ(seen.size(), n);
  }
}

TEST(Permutation, DependsOnSeedEpochAndLane) {
  auto const sequence = [](std::uint64_t seed, std::uint32_t epoch, std::uint64_t lane) {
    Permutation const permutation(seed, epoch, lane, 100);
    std::vector<std::uint32_t> out;
    for (std::uint32_t i = 0; i < 100; ++i) out.push_back(permutation(i));
    return out;
  };
  EXPECT_EQ(sequence(1, 2, 3), sequence(1, 2, 3));
  EXPECT_NE(sequence(1, 2, 3), sequence(4, 2, 3));
  EXPECT_NE(sequence(1, 2, 3), sequence(1, 4, 3));
  EXPECT_NE(sequence(1, 2, 3), sequence(1, 2, 4));
}

// Where element 0 goes, over many keys: chi-square against uniform; 99.99 % of fair draws with 36 degrees of freedom
// are below 75.
TEST(Permutation, SpreadsEvenly) {
  constexpr std::uint32_t n = 37;
  constexpr int draws = 37000;
  std::array<int, n> count{};
  for (int epoch = 0; epoch < draws; ++epoch) ++count[Permutation(5, static_cast<std::uint32_t>(epoch), 0, n)(0)];
  double chi_square = 0, expected = static_cast<double>(draws) / n;
  for (int const c : count) chi_square += (c - expected) * (c - expected) / expected;
  EXPECT_LT(chi_square, 75);
}

}  // namespace minidad
