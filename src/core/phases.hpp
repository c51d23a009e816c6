// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <chrono>
#include <cstddef>

#include "core/kokkos_compat.hpp"
#include "core/types.hpp"

namespace minidad {

/// Where the time of a step goes. `compress` is making statistics smaller; `exchange` is packing, posting and
/// unpacking; `wait` is standing still for messages.
enum class Phase : std::size_t { forward, backward, compress, exchange, wait, update, io, probe };
inline constexpr std::array<char const*, 8> phase_names{"forward", "backward", "compress", "exchange",
                                                        "wait",    "update",   "io",       "probe"};

using PhaseSeconds = std::array<double, phase_names.size()>;

/// Adds up the seconds spent in each phase. Phases nest; time counts for the innermost one only, so they sum to the
/// whole.
class PhaseClock {
 public:
  /// Seconds since the last call, per phase.
  PhaseSeconds lap();

 private:
  friend class PhaseScope;
  using Clock = std::chrono::steady_clock;
  void charge();  // books the time since `since_` to the current phase

  PhaseSeconds seconds_{};
  Clock::time_point since_{};
  Phase current_{};
  int depth_ = 0;
};

/// Books its own lifetime to a phase, and is a region of that name for Kokkos' tools.
class PhaseScope {
 public:
  /// Fences `space` at its end, so that what was launched inside is booked here.
  PhaseScope(PhaseClock& clock, Phase phase, ExecSpace const& space);
  ~PhaseScope();
  PhaseScope(PhaseScope const&) = delete;
  PhaseScope& operator=(PhaseScope const&) = delete;

 private:
  PhaseClock& clock_;
  ExecSpace const& space_;
  Phase outer_;
  ScopedRegion region_;
};

}  // namespace minidad
