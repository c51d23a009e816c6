// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "linalg/factors.hpp"
#include "nn/backward_walk.hpp"

namespace minidad {

/// This rank's share of each layer's gradient as rows, G_s = inputᵀ delta: for who makes rows fewer. They are the
/// layer's statistics as they stand, where a sample is one row. Sequences and images have many, and convolutions and
/// embeddings have nothing that could be called rows without being unfolded: where G itself has fewer rows or columns,
/// G is formed, and stands with a unit matrix as min(in, out) rows. What no weight uses of it is zero.
class LocalRows {
 public:
  /// For batches of at most `max_samples` on this rank. Only layers that are `wanted` are given room.
  LocalRows(std::vector<LayerShape> const& shapes, std::size_t max_samples, std::vector<bool> const& wanted);

  /// Of the walk's current layer; valid until its next call for this layer.
  Factors take(BackwardWalk const& walk) const;
  std::size_t max_rows(std::size_t layer) const { return max_rows_of(shapes_[layer], max_samples_); }

  static std::size_t max_rows_of(LayerShape const& shape, std::size_t max_samples);
  /// Scalars that a layer is given.
  static std::size_t memory_of(LayerShape const& shape, std::size_t max_samples);

 private:
  void form(BackwardWalk const& walk, Matrix const& dense) const;

  std::vector<LayerShape> shapes_;
  std::size_t max_samples_;
  std::vector<Matrix> dense_;   // (in, out), or transposed where that is shorter; none where rows stay as they are
  std::vector<Matrix> formed_;  // G before it is transposed
  Matrix unit_;
};

}  // namespace minidad
