// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// What Kokkos 3.4 (Debian 12) to 5.x say differently, said once. Nothing else in minidad asks for Kokkos' version.

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cmath>
#include <string>

#if KOKKOS_VERSION < 30401
#error "minidad needs Kokkos 3.4.1 or newer"
#endif

namespace minidad {

/// Waits for `space`; `label` names what needs it, for profilers.
template <class Space>
void fence(Space const& space, std::string const& label) {
#if KOKKOS_VERSION >= 30500
  space.fence(label);
#else
  Kokkos::Profiling::pushRegion(label);
  space.fence();
  Kokkos::Profiling::popRegion();
#endif
}

/// Kokkos::Profiling::ScopedRegion, which appeared in 4.1.
class ScopedRegion {
 public:
  explicit ScopedRegion(std::string const& label) { Kokkos::Profiling::pushRegion(label); }
  ~ScopedRegion() { Kokkos::Profiling::popRegion(); }
  ScopedRegion(ScopedRegion const&) = delete;
  ScopedRegion& operator=(ScopedRegion const&) = delete;
};

/// GPUs that this process may use; 0 where kernels run on the host, or where Kokkos cannot tell. May be asked before
/// Kokkos starts.
inline int device_count() {
#if KOKKOS_VERSION >= 40300
  return std::max(0, Kokkos::num_devices());
#else
  return 0;
#endif
}

/// The one that kernels of this process run on; 0 likewise.
inline int device_id() {
#if KOKKOS_VERSION >= 40300
  return std::max(0, Kokkos::device_id());
#else
  return 0;
#endif
}

/// Mathematical functions for kernels: Kokkos' own from 4.0 on, before that the language's, which host and CUDA
/// compilers both accept in device code.
namespace math {
#if KOKKOS_VERSION >= 40000
using Kokkos::exp;
using Kokkos::expm1;
using Kokkos::log;
using Kokkos::log1p;
using Kokkos::sqrt;
using Kokkos::tanh;
#else
using std::exp;
using std::expm1;
using std::log;
using std::log1p;
using std::sqrt;
using std::tanh;
#endif

template <class T>
KOKKOS_INLINE_FUNCTION T abs(T a) {
  return a < 0 ? -a : a;
}
template <class T>
KOKKOS_INLINE_FUNCTION T max(T a, T b) {
  return a < b ? b : a;
}
template <class T>
KOKKOS_INLINE_FUNCTION T min(T a, T b) {
  return b < a ? b : a;
}
}  // namespace math

}  // namespace minidad
