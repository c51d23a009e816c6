// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/layer.hpp"
#include "nn/layers/window.hpp"

namespace minidad {

/// The largest value under a window, for each channel by itself; of equal ones the first. A NaN under it shows.
class MaxPool final : public Layer {
 public:
  /// The window must fit, and has no padding. Pixels that no window reaches are left out.
  MaxPool(SampleShape const& in, Window const& window) : Layer(in, window.places(in, in.channels)), window_(window) {}
  std::string describe() const override;
  /// Of each output which of the window's pixels it is.
  LayerMemory memory() const override { return {.kept = out().size()}; }
  void forward(Pass const& pass, LayerParameters const&, Place const& at) const override;
  void propagate(Pass const& pass, LayerParameters const&, Place const& at) const override;

 private:
  Window window_;
};

/// The mean over all places of a sample, for each channel by itself.
class AveragePool final : public Layer {
 public:
  explicit AveragePool(SampleShape const& in) : Layer(in, {.channels = in.channels}) {}
  std::string describe() const override { return "avgpool"; }
  void forward(Pass const& pass, LayerParameters const&, Place const& at) const override;
  void propagate(Pass const& pass, LayerParameters const&, Place const& at) const override;
};

/// The last place of a sample: what a recurrent layer knows when it has read everything.
class Last final : public Layer {
 public:
  explicit Last(SampleShape const& in) : Layer(in, {.channels = in.channels}) {}
  std::string describe() const override { return "last"; }
  void forward(Pass const& pass, LayerParameters const&, Place const& at) const override;
  void propagate(Pass const& pass, LayerParameters const&, Place const& at) const override;
};

}  // namespace minidad
