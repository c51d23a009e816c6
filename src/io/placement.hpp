// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Inside io/ only: where the pieces of a checkpoint stand in its file, for those who write and those who read.

#include <map>
#include <vector>

#include "core/state.hpp"
#include "io/hdf5.hpp"
#include "io/tiling.hpp"

namespace minidad {

inline constexpr char const* state_group = "/state/";

inline bool differs_by_rank(Scope scope) {
  return scope == Scope::own || scope == Scope::summand || scope == Scope::rows;
}

/// The sizes of a piece's dataset. `most_rows`: with Scope::rows, the most that a rank has. No axis is empty.
std::vector<std::size_t> sizes_in_file(StatePiece const& piece, std::size_t ranks, std::size_t most_rows);

hid_t file_type(Scalar scalar);  ///< little-endian
hid_t memory_type(Scalar scalar);

}  // namespace minidad
