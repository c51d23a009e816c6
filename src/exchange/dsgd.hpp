// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "comm/sum_in_place.hpp"
#include "exchange/exchange.hpp"

namespace minidad {

/// Distributed SGD, the baseline: every rank forms its own gradient, MPI adds them up.
/// Bytes sent per rank and step: 2 (S-1)/S w d, for d parameters of w bytes on S ranks.
class Dsgd final : public Exchange {
 public:
  Dsgd(Communicator& comm, std::vector<LayerShape> const& shapes, std::size_t bucket_bytes, Parameters gradient);
  void reduce(BackwardWalk& walk, RowLayout const& ranks) override;
  static ExchangeForecast forecast(std::vector<LayerShape> const& shapes, int ranks);

 private:
  /// One message: the gradients of some neighbouring layers, posted when the walk has formed the lowest of them.
  struct Bucket {
    std::size_t lowest_layer;
    SumInPlace sum;
  };
  Parameters gradient_;
  std::vector<Bucket> buckets_;  // in the order of the walk, from the last layer down
};

}  // namespace minidad
