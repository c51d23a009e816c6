// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "train/trainer.hpp"

namespace minidad {

/// Hears when a run is to stop or to save: SIGTERM, SIGINT and SIGUSR1, a time limit, and a file called checkpoint_now
/// in the run's folder. A second SIGINT ends the process at once.
class Stopping {
 public:
  /// `seconds`: after which to stop, from the start of this process; 0: never. `watches`: whether this rank looks at
  /// clock and folder; one is enough.
  Stopping(double seconds, std::string const& folder, bool watches);

  /// What this rank wishes now. Cheap: called in every step.
  Wishes wishes();
  /// The checkpoint that was asked for is there.
  void saved();
  /// Why to stop, of this rank; empty where another one has the reason.
  std::string reason() const;

 private:
  using Clock = std::chrono::steady_clock;
  double seconds_;
  std::filesystem::path request_;
  bool watches_, out_of_time_ = false, asked_ = false;
  Clock::time_point next_look_{};
};

/// "HH:MM:SS", "MM:SS" or "SS" in seconds; throws Error(user).
double seconds_of(std::string const& duration);

}  // namespace minidad
