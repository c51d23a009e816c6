// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "core/row_layout.hpp"
#include "core/types.hpp"
#include "nn/parameters.hpp"

namespace minidad {

/// What the forward pass remembers of one batch, and room for the deltas that come back.
struct Tape {
  RowLayout blocks;                ///< rows whose products are formed together, see row_block_product
  std::vector<Matrix> activation;  ///< activation[0] is the input, activation[l + 1] the output of layer l
  std::vector<Matrix> delta;       ///< delta[l] = dL/dz of layer l, z being its pre-activation

  Matrix const& input() const { return activation.front(); }
  Matrix const& output() const { return activation.back(); }
  Matrix const& output_delta() const { return delta.back(); }
};

/// The memory behind tapes, allocated once for the largest batch.
class TapeMemory {
 public:
  TapeMemory(std::vector<LayerShape> const& shapes, std::size_t max_rows);

  /// A tape of blocks.rows() <= max_rows rows; it shares its memory with every other tape from here.
  Tape tape(RowLayout blocks) const;
  std::size_t max_rows() const { return whole_.blocks.rows(); }
  static std::size_t bytes(std::vector<LayerShape> const& shapes, std::size_t max_rows);

 private:
  Tape whole_;
};

}  // namespace minidad
