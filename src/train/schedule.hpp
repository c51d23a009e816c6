// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace minidad {

inline constexpr std::array<char const*, 3> schedule_names{"constant", "step", "cosine"};

struct ScheduleSettings {
  double rate = 0.1;              ///< the base learning rate, for the mean loss over the global batch
  std::string kind = "constant";  ///< one of schedule_names
  double warmup_epochs = 0;       ///< linear from 0 to the base rate, before the schedule proper
  double step_epochs = 10;        ///< "step": multiply by step_factor every so many epochs
  double step_factor = 0.1;
  double final_fraction = 0;  ///< "cosine": of the base rate, reached at the end
};

/// Learning rate of step t = 0, 1, ... of `total` steps.
class Schedule {
 public:
  Schedule(ScheduleSettings settings, std::int64_t total_steps, std::int64_t steps_per_epoch);
  double rate(std::int64_t step) const;

 private:
  ScheduleSettings settings_;
  double total_, per_epoch_, warmup_;
};

}  // namespace minidad
