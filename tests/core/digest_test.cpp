// SPDX-License-Identifier: BSD-3-Clause
#include "core/digest.hpp"

#include <gtest/gtest.h>

#include "support/host_copy.hpp"

namespace minidad {

std::uint64_t digest_of(std::vector<Real> const& values) {
  auto const m = matrix_from(values, 1, values.size());
  return digest(ExecSpace(), Vector(m.data(), m.size()));
}

TEST(Digest, SeesOneBitAndTheOrder) {
  auto values = wavy(1000);
  auto const whole = digest_of(values);
  EXPECT_EQ(whole, digest_of(values));
  std::swap(values[3], values[900]);
  EXPECT_NE(whole, digest_of(values));
  std::swap(values[3], values[900]);
  values[500] = std::nextafter(values[500], Real(2));
  EXPECT_NE(whole, digest_of(values));
}

TEST(Digest, TellsZerosApart) { EXPECT_NE(digest_of({Real(0)}), digest_of({-Real(0)})); }

// FNV-1a's published test value.
TEST(Digest, OfTextIsFnv1a) { EXPECT_EQ(digest("foobar"), 0x85944171f73967e8u); }

}  // namespace minidad
