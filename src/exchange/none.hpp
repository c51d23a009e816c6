// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "exchange/exchange.hpp"

namespace minidad {

/// No exchange: nothing travels, every rank follows the mean gradient of its own rows. The control of a comparison:
/// what ranks learn alone (Baker et al. 2021, arXiv 2102.09631, "no sharing"). On one rank it equals the others.
///
/// Parameters drift apart, so there are as many models as ranks. They are not compared; each is tested on all test
/// samples, and what is reported is the mean over models. The parameter digest is that of rank 0's model.
class None final : public Exchange {
 public:
  None(Communicator const& comm, Parameters gradient);
  void reduce(BackwardWalk& walk, RowLayout const& ranks) override;
  bool replicates() const override { return false; }
  static ExchangeForecast forecast();

 private:
  std::size_t rank_;
  Parameters gradient_;
};

}  // namespace minidad
