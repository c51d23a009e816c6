// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/activation.hpp"
#include "nn/layer.hpp"
#include "nn/layers/window.hpp"

namespace minidad {

/// phi(A W + 1 bᵀ) at every place of a window, where a row of A is the patch under it: a convolution
/// ("cross-correlation") of images height × width × channels. A (samples places, kernel² channels) is never whole.
/// Patches live in the workspace, those of a few samples at a time, and what travels is the image itself: whoever forms
/// a gradient unfolds it again.
class Conv final : public Layer {
 public:
  /// The window must fit.
  Conv(SampleShape const& in, std::size_t filters, Window const& window, Activation phi, bool bias = true);
  std::string describe() const override;
  LayerShape shape() const override;
  LayerMemory memory() const override { return {.keeps_output = phi_ != Activation::identity}; }
  std::size_t workspace(std::size_t samples) const override;
  /// As a dense layer's, with the pixels that a patch and a window's places have to do with each other: kernel²
  /// channels in, kernel² filters out.
  void initialise(ExecSpace const& space, std::uint64_t seed, std::uint32_t index,
                  LayerParameters const& to) const override;
  void forward(Pass const& pass, LayerParameters const& p, Place const& at) const override;
  void differentiate(Pass const& pass, LayerParameters const& p, Place const& at) const override;
  void propagate(Pass const& pass, LayerParameters const& p, Place const& at) const override;
  void form_gradient(ExecSpace const& space, LayerStats const& wire, Vector const& workspace,
                     LayerParameters const& sum) const override;
  void form_rest(Pass const& pass, LayerParameters const& p, Place const& at, Vector const& rest) const override;
  void expand(ExecSpace const& space, Matrix const& wire_input, Matrix const& input) const override;

 private:
  /// Samples whose patches are there at a time: those of about a megabyte for each thread of a host, which stay in its
  /// cache until they are used, or 64 MiB on a device. Never a function of the batch: sums over samples have the same
  /// bits on all ranks.
  std::size_t chunk() const;
  /// bias <- the sums of delta (samples, size of the output), first over samples, then over places: a long sum over few
  /// filters would leave most threads idle.
  void form_bias(ExecSpace const& space, Matrix const& delta, Vector const& workspace, Vector const& bias) const;
  std::size_t patches_of(std::size_t samples) const { return samples * out().places() * window_.size(in()); }

  Window window_;
  Activation phi_;
  bool bias_;
};

}  // namespace minidad
