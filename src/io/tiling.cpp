// SPDX-License-Identifier: BSD-3-Clause
#include "io/tiling.hpp"

#include <algorithm>

namespace minidad {

Tiling::Tiling(std::vector<std::size_t> shape, std::size_t most)
    : shape_(std::move(shape)), chunk_(shape_.size(), 1), cut_(shape_.size()) {
  // From the last axis up, while all of it still fits.
  while (cut_ > 0) {
    --cut_;
    extent_ = shape_[cut_];
    length_ = std::clamp<std::size_t>(most / inner_, 1, extent_);
    chunk_[cut_] = length_;
    if (length_ < extent_ || cut_ == 0) break;
    inner_ *= extent_;
  }
  for (std::size_t d = 0; d < cut_; ++d) outer_ *= shape_[d];
  parts_ = (extent_ + length_ - 1) / length_;
}

std::vector<std::size_t> Tiling::origin(std::size_t i) const {
  std::vector<std::size_t> origin(shape_.size(), 0);
  origin[cut_] = i % parts_ * length_;
  i /= parts_;
  for (std::size_t d = cut_; d-- > 0; i /= shape_[d]) origin[d] = i % shape_[d];
  return origin;
}

Tiling::Stretch Tiling::stretch(std::size_t i) const {
  auto const first = i % parts_ * length_;
  return {(i / parts_ * extent_ + first) * inner_, std::min(length_, extent_ - first) * inner_};
}

}  // namespace minidad
