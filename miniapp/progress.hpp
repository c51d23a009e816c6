// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <string>

#include "io/records.hpp"

namespace minidad {

/// Tells rank 0's user how the run goes: a bar that is redrawn on a terminal, otherwise at most a line every few
/// seconds.
class Progress {
 public:
  /// `mode`: none, plain, bar, or auto (a bar if both standard streams are terminals that can move their cursor).
  Progress(std::string const& mode, bool speaks, std::int64_t first_step, std::int64_t total_steps,
           double samples_per_step);

  void step(StepRecord const& record);
  void epoch(EpochRecord const& record);
  void note(std::string const& text);

 private:
  enum class Mode { none, plain, bar };
  using Clock = std::chrono::steady_clock;
  void clear_bar();

  Mode mode_;
  double first_, total_, samples_per_step_;  // steps before this run
  Clock::time_point start_ = Clock::now(), last_ = start_;
  bool drawn_ = false;
};

/// 93784 -> "1d 02:03:04", 65 -> "01:05".
std::string duration_text(double seconds);

}  // namespace minidad
