// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

namespace minidad {

/// How this executable was built: what --version prints and every run file keeps.
struct BuildInfo {
  std::string version;   ///< of minidad
  std::string git_hash;  ///< with "-dirty" when the tree had changes; "unknown" outside a checkout
  std::string compiler;
  std::string flags;
  std::string build_type;
  std::string kokkos;
  std::string kokkos_devices;
  std::string execution_space;  ///< the Kokkos space that minidad's kernels run in
  std::string blas;             ///< the library file that was found at configure time
  std::string real;             ///< float or double
};

BuildInfo build_info();

}  // namespace minidad
