// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

#include "core/kokkos_compat.hpp"

namespace minidad {

/// Four 32-bit words.
struct Words4 {
  std::uint32_t x[4];
};

/// What a random number is for: keeps the streams of one seed apart.
enum class Stream : std::uint32_t {
  weights = 1,
  shuffle = 2,
  features = 3,
  teacher = 4,
  factors = 5,
  dropout = 6,
  augmentation = 7,
  split = 8
};

KOKKOS_INLINE_FUNCTION Words4 philox_round(std::uint32_t k0, std::uint32_t k1, Words4 const& counter) {
  std::uint64_t const p0 = std::uint64_t{0xD2511F53u} * counter.x[0];
  std::uint64_t const p1 = std::uint64_t{0xCD9E8D57u} * counter.x[2];
  return {{static_cast<std::uint32_t>(p1 >> 32) ^ counter.x[1] ^ k0, static_cast<std::uint32_t>(p1),
           static_cast<std::uint32_t>(p0 >> 32) ^ counter.x[3] ^ k1, static_cast<std::uint32_t>(p0)}};
}

/// Philox4x32-10: a counter-based generator, that is a pure function of key and counter.   Salmon et al., SC'11.
/// No state means the same numbers on every rank, thread and device, and nothing to checkpoint.
KOKKOS_INLINE_FUNCTION Words4 philox(std::uint64_t key, Words4 counter) {
  auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    counter = philox_round(k0, k1, counter);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return counter;
}

/// Word `index` of the stream (purpose, a) under `seed`.
KOKKOS_INLINE_FUNCTION Words4 philox(std::uint64_t seed, Stream purpose, std::uint32_t a, std::uint64_t index) {
  return philox(seed, {{static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), a,
                        static_cast<std::uint32_t>(purpose)}});
}

/// Uniform in [0, 1), 24 bits: exact in float, the same value in double.
KOKKOS_INLINE_FUNCTION double uniform(std::uint32_t word) { return (word >> 8) * (1.0 / 16777216.0); }

/// Standard normal from two words (Box-Muller).
KOKKOS_INLINE_FUNCTION double normal(std::uint32_t a, std::uint32_t b) {
  constexpr double two_pi = 6.283185307179586;
  return math::sqrt(-2.0 * math::log(1.0 - uniform(a))) * std::cos(two_pi * uniform(b));
}

/// A pseudo-random permutation of [0, n) whose every element is computed on its own, in O(1) time and memory: a Feistel
/// network on the next even power of two, walked until it lands inside (Black & Rogaway, CT-RSA 2002).
class Permutation {
 public:
  /// (seed, epoch, lane) select the permutation; n >= 1.
  KOKKOS_INLINE_FUNCTION Permutation(std::uint64_t seed, std::uint32_t epoch, std::uint64_t lane, std::uint32_t n)
      : n_(n) {
    while ((std::uint64_t{1} << (2 * half_bits_)) < n) ++half_bits_;
    Words4 const a = philox(seed, {{static_cast<std::uint32_t>(lane), static_cast<std::uint32_t>(lane >> 32), epoch,
                                    static_cast<std::uint32_t>(Stream::shuffle)}});
    Words4 const b =
        philox(seed ^ 0x5851F42D4C957F2Dull, {{static_cast<std::uint32_t>(lane), static_cast<std::uint32_t>(lane >> 32),
                                               epoch, static_cast<std::uint32_t>(Stream::shuffle)}});
    for (int i = 0; i < 4; ++i) {
      keys_[i] = a.x[i];
      keys_[4 + i] = b.x[i];
    }
  }

  KOKKOS_INLINE_FUNCTION std::uint32_t operator()(std::uint32_t i) const {
    if (n_ == 1) return 0;
    do i = encrypt(i);
    while (i >= n_);
    return i;
  }

 private:
  /// One pass of the network: a bijection of [0, 4^half_bits).
  KOKKOS_INLINE_FUNCTION std::uint32_t encrypt(std::uint32_t i) const {
    std::uint32_t const mask = (1u << half_bits_) - 1u;
    std::uint32_t left = i >> half_bits_, right = i & mask;
    for (std::uint32_t const key : keys_) {
      std::uint32_t h = (right + key) * 0x85EBCA6Bu;  // murmur3's finaliser as the round function
      h = (h ^ (h >> 13)) * 0xC2B2AE35u;
      h ^= h >> 16;
      std::uint32_t const next = left ^ (h & mask);
      left = right;
      right = next;
    }
    return (left << half_bits_) | right;
  }

  std::uint32_t n_;
  int half_bits_ = 1;
  std::uint32_t keys_[8];
};

}  // namespace minidad
