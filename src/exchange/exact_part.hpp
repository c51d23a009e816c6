// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "comm/sum_in_place.hpp"
#include "nn/backward_walk.hpp"

namespace minidad {

/// What an exchange sums exactly, in one message: of each layer nothing, all that is no product, or the whole gradient.
/// Biases never come from factors that stand for a product: the rows of those are mixtures of samples, not samples.
class ExactPart {
 public:
  enum class Share { nothing, rest, all };
  ExactPart(std::vector<LayerShape> const& shapes, std::vector<Share> share);

  std::size_t size() const;                     ///< scalars
  std::vector<SumInPlace::Part> parts() const;  ///< layer by layer, as they stand in the message
  void place(Vector const& message);            ///< where they stand; message.size() == size()
  /// Writes this rank's share of the walk's current layer into the message.
  void form(BackwardWalk const& walk) const;
  /// After the sum: the message into the gradient.
  void deliver(ExecSpace const& space, Parameters const& gradient) const;

 private:
  std::size_t size_of(std::size_t layer) const;
  std::vector<LayerShape> shapes_;
  std::vector<Share> share_;
  std::vector<LayerParameters> place_;  // with weights where all is summed
};

}  // namespace minidad
