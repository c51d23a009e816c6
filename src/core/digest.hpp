// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string_view>

#include "core/types.hpp"

namespace minidad {

/// FNV-1a of a text.
std::uint64_t digest(std::string_view text);

/// A digest of the bits of `values`, independent of the order in which threads visit them; 0.0 and -0.0 differ.
/// Ends with the value on the host, so it fences.
std::uint64_t digest(ExecSpace const& space, Vector const& values);

}  // namespace minidad
