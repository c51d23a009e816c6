// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <vector>

namespace minidad {

/// Where the rows of one global batch stand: part p (a rank, or a block of one rank's rows) holds the rows
/// [offset[p], offset[p + 1]). Parts may be empty.
struct RowLayout {
  std::vector<std::size_t> offset{0};

  std::size_t parts() const { return offset.size() - 1; }
  std::size_t rows() const { return offset.back(); }
  std::size_t rows_of(std::size_t part) const { return offset[part + 1] - offset[part]; }
  bool operator==(RowLayout const&) const = default;
};

}  // namespace minidad
