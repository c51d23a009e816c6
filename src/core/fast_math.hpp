// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <cstring>

#include "core/kokkos_compat.hpp"

namespace minidad {

/// Functions without branches or calls, so that loops vectorise. In float they are within a few ulp; in double they are
/// the library's.
namespace fast {

/// exp(x), clamped where it would over- or underflow.
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

/// tanh(x) as a quotient of polynomials of degrees 13 and 6; the coefficients are those of Eigen's ptanh.
KOKKOS_INLINE_FUNCTION float tanh(float x) {
  float const y = math::max(math::min(x, 7.90531111f), -7.90531111f), s = y * y;  // beyond, it rounds to 1
  float p = -2.76076847742355e-16f;
  p = p * s + 2.00018790482477e-13f;
  p = p * s + -8.60467152213735e-11f;
  p = p * s + 5.12229709037114e-08f;
  p = p * s + 1.48572235717979e-05f;
  p = p * s + 6.37261928875436e-04f;
  p = p * s + 4.89352455891786e-03f;
  float q = 1.19825839466702e-06f;
  q = q * s + 1.18534705686654e-04f;
  q = q * s + 2.26843463243900e-03f;
  q = q * s + 4.89352518554385e-03f;
  return y * p / q;
}

KOKKOS_INLINE_FUNCTION double exp(double x) { return math::exp(x); }
KOKKOS_INLINE_FUNCTION double tanh(double x) { return math::tanh(x); }

template <class T>
KOKKOS_INLINE_FUNCTION T sigmoid(T x) {
  return 1 / (1 + exp(-x));
}

}  // namespace fast

}  // namespace minidad
