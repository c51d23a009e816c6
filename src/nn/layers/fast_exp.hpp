// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <cstring>

#include "core/for_each_element.hpp"
#include "core/kokkos_compat.hpp"

namespace minidad {

namespace fast {

/// exp(x) without branches or calls, so that loops vectorise; a few ulp, clamped where it would over- or underflow.
KOKKOS_INLINE_FUNCTION float exp(float x) {
  float const y = math::max(math::min(x, 88.f), -87.f);  // in this order a NaN stays
  float const magic = 12582912.f;                        // 1.5 2^23: what is added to it is rounded to an integer
  float const shifted = y * 1.44269504f + magic, n = shifted - magic;
  float const r = (y - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.f / 5040;
  p = p * r + 1.f / 720;
  p = p * r + 1.f / 120;
  p = p * r + 1.f / 24;
  p = p * r + 1.f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.f;
  p = p * r + 1.f;
  std::int32_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 127) << 23;  // the low bits of `shifted` are those of n
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return p * power;
}

KOKKOS_INLINE_FUNCTION double exp(double x) { return math::exp(x); }

}  // namespace fast

}  // namespace minidad
