// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <chrono>

#include "io/run_file.hpp"

namespace minidad {

/// Lets others see the records of a run that goes on.
class Showing {
 public:
  /// Every `seconds`, 0: never. `decides`: whether this rank looks at the clock; one is enough.
  Showing(double seconds, bool decides)
      : decides_(decides && seconds > 0),
        pause_(std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds))) {}
  bool due() const { return decides_ && Clock::now() >= next_; }
  void operator()(RunFile& file) {
    auto const begin = Clock::now();
    file.flush();
    auto const end = Clock::now();
    next_ = end + std::max(pause_, 50 * (end - begin));  // a large file, written anew as a whole, takes at most 2 %
  }

 private:
  using Clock = std::chrono::steady_clock;
  bool decides_;
  Clock::duration pause_;
  Clock::time_point next_ = Clock::now() + pause_;
};

}  // namespace minidad
