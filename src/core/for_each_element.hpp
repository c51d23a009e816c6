// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string>
#include <type_traits>

#include "core/types.hpp"

namespace minidad {

/// True where the kernels run on the processor itself.
inline constexpr bool runs_on_host = std::is_same_v<ExecSpace, Kokkos::DefaultHostExecutionSpace>;
/// True where kernels have the form for a processor: one work item is a long contiguous run, not an element. In a build
/// with MINIDAD_DEVICE_FORMS a processor runs the forms for GPUs: slow, but they are tested without one.
#ifdef MINIDAD_DEVICE_FORMS
inline constexpr bool on_host = false;
#else
inline constexpr bool on_host = runs_on_host;
#endif

/// Before a loop whose iterations do not depend on each other: a host's compiler then need not prove it.
#if defined(__CUDACC__) || defined(__HIPCC__)
#define MINIDAD_INDEPENDENT
#elif defined(__clang__)
#define MINIDAD_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define MINIDAD_INDEPENDENT _Pragma("GCC ivdep")
#endif

/// f(row, col) for every element of a (rows, cols) matrix. On a GPU one thread an element, neighbours reading
/// neighbours; on a host one row an item, so that the compiler vectorises along it. What f writes no other call may
/// read.
template <class F>
void for_each_element(std::string const& label, ExecSpace const& space, std::size_t rows, std::size_t cols,
                      F const& f) {
  std::size_t const run = on_host ? cols : 1, runs = on_host ? 1 : cols;
  Kokkos::parallel_for(
      label, Kokkos::RangePolicy<ExecSpace>(space, 0, rows * runs), KOKKOS_LAMBDA(std::size_t item) {
        std::size_t const row = item / runs, begin = (item % runs) * run;
        MINIDAD_INDEPENDENT
        for (std::size_t col = begin; col < begin + run; ++col) f(row, col);
      });
}

}  // namespace minidad
