// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "comm/row_gather.hpp"
#include "exchange/exchange.hpp"

namespace minidad {

/// Efficient distributed auto-differentiation: ranks send their activations and the last delta only, and every rank
/// forms the hidden deltas of all rows itself, D_below = (D Wᵀ) .* phi'(A). Exact.   Baker et al. 2021 (arXiv
/// 2102.09631) It needs phi' as a function of the output, which every Activation offers (the published code takes it
/// from z, and would have to send that too), and parameters that are equal to the bit. Activations leave during the
/// forward pass. Bytes sent per rank and step: (S-1) w N (sum of h_in over layers + classes), for N rows a rank.
class Edad final : public Exchange {
 public:
  Edad(Communicator& comm, std::vector<LayerShape> const& shapes, std::size_t max_rows, Parameters gradient);
  void observe(ExecSpace const& space, PhaseClock& clock, RowLayout const& ranks, std::size_t layer,
               Matrix const& input) override;
  void reduce(BackwardWalk& walk, RowLayout const& ranks) override;
  bool leaves_statistics() const override { return false; }
  /// Throws Error(user) naming the layer unless all are dense layers on plain features, one straight behind another:
  /// only there are deltas a function of activations and of the delta above.
  static void expect_dense_chain(std::vector<LayerShape> const& shapes, char const* what);
  static ExchangeForecast forecast(std::vector<LayerShape> const& shapes, int ranks, std::size_t rows);

 private:
  Communicator& comm_;
  Parameters gradient_;
  std::vector<RowGather> inputs_;  // one per layer
  RowGather output_delta_;
  std::vector<Matrix> deltas_;  // of all rows, one per hidden layer
  RowLayout one_block_{{0, 0}};
  std::vector<LayerStats> local_;
};

}  // namespace minidad
