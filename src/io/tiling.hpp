// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <vector>

namespace minidad {

/// How a row-major array is cut into HDF5 chunks of one shape, each of which is one stretch of the array: of the axes,
/// the last ones are whole, one is cut into parts, and those before it are cut into single indices.
class Tiling {
 public:
  /// Chunks of at most `most` elements.
  Tiling(std::vector<std::size_t> shape, std::size_t most);

  std::vector<std::size_t> const& chunk() const { return chunk_; }  ///< its shape
  std::size_t chunk_size() const { return length_ * inner_; }       ///< elements
  std::size_t chunks() const { return outer_ * parts_; }
  /// Where the i-th chunk begins, in indices of the array.
  std::vector<std::size_t> origin(std::size_t i) const;
  /// The elements of the array in the i-th chunk. The last along the cut axis may have fewer than chunk_size().
  struct Stretch {
    std::size_t begin, size;
  };
  Stretch stretch(std::size_t i) const;

 private:
  std::vector<std::size_t> shape_, chunk_;
  std::size_t cut_ = 0, extent_ = 1, length_ = 1;  // the axis that is cut, its extent, and that of a chunk
  std::size_t outer_ = 1, parts_ = 1, inner_ = 1;  // indices before it, parts of it, elements behind it
};

}  // namespace minidad
