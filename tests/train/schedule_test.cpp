// SPDX-License-Identifier: BSD-3-Clause
#include "train/schedule.hpp"

#include <gtest/gtest.h>

namespace minidad {

TEST(Schedule, ConstantStays) {
  Schedule const schedule({.rate = 0.3}, 100, 10);
  EXPECT_EQ(schedule.rate(0), 0.3);
  EXPECT_EQ(schedule.rate(99), 0.3);
}

TEST(Schedule, StepDropsEverySoManyEpochs) {
  Schedule const schedule({.rate = 1, .kind = "step", .step_epochs = 2, .step_factor = 0.5}, 100, 10);
  EXPECT_EQ(schedule.rate(19), 1);
  EXPECT_EQ(schedule.rate(20), 0.5);
  EXPECT_EQ(schedule.rate(40), 0.25);
}

TEST(Schedule, CosineFallsFromTheBaseToTheFinalRate) {
  Schedule const schedule({.rate = 2, .kind = "cosine", .final_fraction = 0.1}, 100, 10);
  EXPECT_EQ(schedule.rate(0), 2);
  EXPECT_NEAR(schedule.rate(50), 1.1, 1e-12);
  EXPECT_NEAR(schedule.rate(100), 0.2, 1e-12);
  for (int t = 1; t < 100; ++t) EXPECT_LT(schedule.rate(t), schedule.rate(t - 1));
}

TEST(Schedule, WarmsUpLinearlyBeforeAnyKind) {
  for (auto const* kind : {"constant", "cosine"}) {
    Schedule const schedule({.rate = 1, .kind = kind, .warmup_epochs = 1}, 100, 9);
    for (int t = 0; t < 9; ++t) EXPECT_NEAR(schedule.rate(t), 0.1 * (t + 1), 1e-12);
    EXPECT_EQ(schedule.rate(9), 1);
  }
}

}  // namespace minidad
