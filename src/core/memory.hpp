// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

namespace minidad {

/// Bytes of this process that are (or, at their highest, were) in memory, from the kernel's own books; 0 where unknown.
std::size_t resident_memory();
std::size_t peak_memory();

}  // namespace minidad
