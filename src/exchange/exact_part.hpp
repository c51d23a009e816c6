// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "comm/sum_in_place.hpp"
#include "exchange/low_rank_settings.hpp"
#include "nn/backward_walk.hpp"

namespace minidad {

/// What a low-rank exchange sums exactly: all biases, and the whole gradients of the layers that are not worth
/// compressing. Biases never come from factors: the rows of those are mixtures of samples, not samples.
class ExactPart {
 public:
  ExactPart(std::vector<LayerShape> const& shapes, LowRankSettings const& settings);

  bool compressed(std::size_t layer) const { return compressed_[layer]; }
  std::size_t size() const;                     ///< scalars
  std::vector<SumInPlace::Part> parts() const;  ///< layer by layer, as they stand in the message
  void place(Vector const& message);            ///< where they stand; message.size() == size()
  /// Writes this rank's share of a layer into the message.
  void form(ExecSpace const& space, std::size_t layer, LayerStats const& stats) const;
  /// After the sum: the message into the gradient.
  void deliver(ExecSpace const& space, Parameters const& gradient) const;

 private:
  struct Place {
    Vector bias;
    Matrix weight;  // no rows when compressed
  };
  std::vector<LayerShape> shapes_;
  std::vector<bool> compressed_;
  std::vector<Place> place_;
};

}  // namespace minidad
