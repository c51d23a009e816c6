// SPDX-License-Identifier: BSD-3-Clause
#include "core/build_info.hpp"

#include "build_facts.hpp"
#include "core/types.hpp"
#include "git_hash.hpp"

namespace minidad {

BuildInfo build_info() {
  return {.version = MINIDAD_VERSION,
          .git_hash = MINIDAD_GIT_HASH,
          .compiler = MINIDAD_COMPILER,
          .flags = MINIDAD_FLAGS,
          .build_type = MINIDAD_BUILD_TYPE,
          .kokkos = MINIDAD_KOKKOS,
          .kokkos_devices = MINIDAD_KOKKOS_DEVICES,
          .execution_space = ExecSpace::name(),
          .blas = MINIDAD_BLAS,
          .real = sizeof(Real) == 4 ? "float" : "double"};
}

}  // namespace minidad
