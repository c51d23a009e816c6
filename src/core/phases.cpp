// SPDX-License-Identifier: BSD-3-Clause
#include "core/phases.hpp"

#include <string>
#include <utility>

namespace minidad {

void PhaseClock::charge() {
  auto const now = Clock::now();
  if (depth_ > 0) seconds_[static_cast<std::size_t>(current_)] += std::chrono::duration<double>(now - since_).count();
  since_ = now;
}

PhaseSeconds PhaseClock::lap() {
  charge();
  return std::exchange(seconds_, {});
}

PhaseScope::PhaseScope(PhaseClock& clock, Phase phase, ExecSpace const& space)
    : clock_(clock),
      space_(space),
      outer_(clock.current_),
      region_(std::string("minidad::phase::") + phase_names[static_cast<std::size_t>(phase)]) {
  clock_.charge();
  clock_.current_ = phase;
  ++clock_.depth_;
}

PhaseScope::~PhaseScope() {
  fence(space_, "minidad::core::phase_ends");
  clock_.charge();
  clock_.current_ = outer_;
  --clock_.depth_;
}

}  // namespace minidad
