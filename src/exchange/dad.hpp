// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "comm/row_gather.hpp"
#include "exchange/exact_part.hpp"
#include "exchange/exchange.hpp"

namespace minidad {

/// Distributed auto-differentiation: ranks send the rows [A | D] of each layer instead of its gradient, and every rank
/// forms the product of all rows. Exact.   Baker et al. 2021 (arXiv 2102.09631); biases from the same rows, as column
/// sums. What is no product is summed. Bytes sent per rank and step: (S-1) w N (h_in + h_out) summed over layers, for N
/// rows a rank; convolutions send images for patches, and embeddings ids for unit vectors, see WireShape.
///
/// Rows are gathered in rank order, which is their order in the global batch, and the product is one call of one shape
/// on every rank: replicas stay equal to the bit, and with rows in blocks (BatchPlan, row_block_product) so do runs on
/// different numbers of ranks.
class Dad final : public Exchange {
 public:
  Dad(Communicator& comm, std::vector<LayerShape> const& shapes, std::size_t max_rows, Parameters gradient);
  void reduce(BackwardWalk& walk, RowLayout const& ranks) override;
  static ExchangeForecast forecast(std::vector<LayerShape> const& shapes, int ranks, std::size_t rows);

 private:
  Communicator& comm_;
  std::vector<LayerShape> shapes_;
  Parameters gradient_;
  std::vector<std::unique_ptr<RowGather>> gathers_;  // one per layer with a product
  ExactPart rest_;                                   // of the layers without
  Vector message_;
  std::unique_ptr<SumInPlace> sum_;  // if there are any
};

}  // namespace minidad
