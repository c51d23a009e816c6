// SPDX-License-Identifier: BSD-3-Clause
#include "core/phases.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <thread>

namespace minidad {

void sleep_ms(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

// Lower bounds only: sleeping takes at least as long as asked.
TEST(PhaseClock, BooksNestedTimeToTheInnermostPhaseOnly) {
  ExecSpace const space;
  PhaseClock clock;
  auto const start = std::chrono::steady_clock::now();
  {
    PhaseScope outer(clock, Phase::backward, space);
    sleep_ms(5);
    {
      PhaseScope inner(clock, Phase::wait, space);
      sleep_ms(20);
    }
    sleep_ms(5);
  }
  double const whole = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  auto const seconds = clock.lap();
  EXPECT_GE(seconds[static_cast<std::size_t>(Phase::wait)], 0.020);
  EXPECT_GE(seconds[static_cast<std::size_t>(Phase::backward)], 0.010);
  EXPECT_EQ(seconds[static_cast<std::size_t>(Phase::forward)], 0);
  EXPECT_LE(std::accumulate(seconds.begin(), seconds.end(), 0.0), whole);
}

TEST(PhaseClock, StartsAnewAfterALap) {
  ExecSpace const space;
  PhaseClock clock;
  { PhaseScope scope(clock, Phase::io, space); }
  clock.lap();
  sleep_ms(2);  // outside any phase: nobody's time
  for (double const seconds : clock.lap()) EXPECT_EQ(seconds, 0);
}

}  // namespace minidad
