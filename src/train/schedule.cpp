// SPDX-License-Identifier: BSD-3-Clause
#include "train/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace minidad {

Schedule::Schedule(ScheduleSettings settings, std::int64_t total_steps, std::int64_t steps_per_epoch)
    : settings_(std::move(settings)),
      total_(static_cast<double>(total_steps)),
      per_epoch_(static_cast<double>(steps_per_epoch)),
      warmup_(settings_.warmup_epochs * per_epoch_) {}

double Schedule::rate(std::int64_t step) const {
  auto const t = static_cast<double>(step);
  if (t < warmup_) return settings_.rate * (t + 1) / (warmup_ + 1);
  if (settings_.kind == "step")
    return settings_.rate * std::pow(settings_.step_factor, std::floor(t / (settings_.step_epochs * per_epoch_)));
  if (settings_.kind == "cosine") {
    double const progress = (t - warmup_) / std::max(1.0, total_ - warmup_);
    double const fraction = (1 + std::cos(std::numbers::pi * progress)) / 2;
    return settings_.rate * (settings_.final_fraction + (1 - settings_.final_fraction) * fraction);
  }
  return settings_.rate;
}

}  // namespace minidad
