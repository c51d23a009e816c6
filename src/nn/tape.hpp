// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "core/row_layout.hpp"
#include "core/types.hpp"
#include "nn/arena.hpp"
#include "nn/layer.hpp"

namespace minidad {

/// What the forward pass remembers of one batch, and room for the deltas that come back: views into an arena.
struct Tape {
  RowLayout blocks;                            ///< samples whose products are formed together, see row_block_product
  std::vector<Place> place{};                  ///< one a step, with the deltas that it assigns
  std::vector<Matrix> forward_scratch{};       ///< one a step
  std::vector<Matrix> sum_in{}, sum_second{};  ///< what those deltas are added to, where other steps have theirs
  std::vector<LayerStats> stats{};             ///< one a layer with parameters: A and D as they travel, if any
  Matrix input{}, input_delta{};               ///< (samples, scalars of one); the delta only if it is wanted
  Matrix output{}, output_delta{};             ///< (samples places, classes)

  std::size_t samples() const { return blocks.rows(); }
};

/// The memory behind tapes, allocated once for the largest batch.
class TapeMemory {
 public:
  TapeMemory(Model const& model, std::size_t max_samples);

  /// A tape of blocks.rows() <= max_samples samples; it shares its memory with every other tape from here.
  Tape tape(RowLayout blocks) const;
  std::size_t max_samples() const { return max_samples_; }
  static std::size_t bytes(Model const& model, std::size_t max_samples);

 private:
  Model model_;
  ArenaPlan plan_;
  std::size_t max_samples_;
  Vector arena_, workspace_;
};

}  // namespace minidad
