// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/row_layout.hpp"
#include "core/sample_shape.hpp"
#include "core/types.hpp"
#include "linalg/factors.hpp"
#include "nn/parameters.hpp"

namespace minidad {

/// All that the gradient of one layer needs: the rows A of its input and D = dL/dz of its output; G = AᵀD holds the
/// gradients of the weights, and the column sums of D are that of the bias. Rows are as the layer's WireShape says.
/// The loss is a mean over the rows of *all* ranks, so gradients of parts of a batch simply add up.
using LayerStats = Factors;

/// What is the same for all layers in one forward and backward pass.
struct Pass {
  ExecSpace const& space;
  RowLayout const& blocks;  ///< samples whose products are formed together, see row_block_product
  bool training = false;    ///< else nothing is random
  std::uint64_t seed = 0;   ///< with `step`, of what is random
  std::uint64_t step = 0;
  std::size_t first_row = 0;  ///< where this rank's samples begin in the global batch
};

/// Where one layer works: views into the arena, of as many samples as the batch has. Matrices of values have a row per
/// place of each sample, sample by sample, and a column per channel. What a layer did not ask for is empty.
struct Place {
  Matrix in{}, second{}, out{};                    ///< values
  Matrix delta_in{}, delta_second{}, delta_out{};  ///< dL/d(value); delta_in is assigned, empty where nobody needs it
  Matrix input{}, delta{};                         ///< A and D as they are formed here: (samples rows, in), (.., out)
  Matrix kept{};                                   ///< (samples, LayerMemory::kept)
  Matrix scratch{};                                ///< (samples, LayerMemory::scratch), in one call
  Vector workspace{};                              ///< as long as Layer::workspace(), in one call
};

/// Memory that a layer wants beside its input and output.
struct LayerMemory {
  bool keeps_input = false;   ///< `in` until the backward pass
  bool keeps_output = false;  ///< `out` until the backward pass
  bool own_input = false;     ///< A is not `in` itself but a matrix of the layer's, from the forward pass on
  bool own_delta = false;     ///< D is not `delta_out` itself but a matrix of the layer's, from the forward pass on
  std::size_t kept = 0;       ///< scalars a sample, from the forward to the backward pass
  std::size_t scratch = 0;    ///< scalars a sample, for the time of one call
};

/// One step of a network: shapes and kernels. It holds no numbers; parameters and memory come with each call, so that
/// a layer can be shared and asked about before anything is allocated.
class Layer {
 public:
  Layer(SampleShape const& in, SampleShape const& out) : in_(in), out_(out) {}
  virtual ~Layer() = default;

  SampleShape const& in() const { return in_; }
  SampleShape const& out() const { return out_; }
  /// As a line of a deck's model.layers would say it.
  virtual std::string describe() const = 0;

  /// What there is to learn, and how it travels; nothing for most.
  virtual LayerShape shape() const { return {}; }
  virtual LayerMemory memory() const { return {}; }
  /// Scalars of workspace for batches of at most `samples`; layers share it.
  virtual std::size_t workspace(std::size_t /*samples*/) const { return 0; }
  /// Sets the parameters that a run starts with: a function of (seed, index, position) alone.
  virtual void initialise(ExecSpace const&, std::uint64_t /*seed*/, std::uint32_t /*index*/,
                          LayerParameters const&) const {}

  /// out <- f(in).
  virtual void forward(Pass const&, LayerParameters const&, Place const&) const = 0;
  /// D from delta_out = dL/d(out), in place unless the layer has a D of its own.
  virtual void differentiate(Pass const&, LayerParameters const&, Place const&) const {}
  /// delta_in <- dL/d(in), from D, or from delta_out where there is no D.
  virtual void propagate(Pass const&, LayerParameters const&, Place const&) const = 0;

  /// The gradient of the weights from rows of anybody, as they travel; zero rows give zeros. By default all blocks of
  /// AᵀD, and biases as column sums of D.
  virtual void form_gradient(ExecSpace const& space, LayerStats const& wire, Vector const& workspace,
                             LayerParameters const& sum) const;
  /// The gradient of parameters that are no product, from this rank's pass. By default biases, as column sums of D.
  virtual void form_rest(Pass const& pass, LayerParameters const&, Place const& at, Vector const& rest) const;
  /// A as G = AᵀD has it, (rows, in), from what travels.
  virtual void expand(ExecSpace const& space, Matrix const& wire_input, Matrix const& input) const;

 private:
  SampleShape in_, out_;
};

/// weights <- the blocks of inputᵀ delta that the shape names; `stats` are rows of G, of any number.
void form_weight_gradient(ExecSpace const& space, LayerShape const& shape, Factors const& stats,
                          LayerParameters const& sum);

/// weight <- U(-bound, bound); its elements are the layer's from `first` on.
void fill_uniform(ExecSpace const& space, std::uint64_t seed, std::uint32_t index, std::size_t first, double bound,
                  Matrix const& weight);

}  // namespace minidad
