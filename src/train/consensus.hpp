// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "comm/sum_in_place.hpp"

namespace minidad {

/// How far apart the models of ranks are that do not replicate.
class Consensus {
 public:
  explicit Consensus(Communicator& comm);

  /// Collective. (mean over ranks of ||x_s - x̄||²)^½ / ||x̄||, x̄ the mean over ranks of the parameters x_s, in pieces
  /// of bounded memory.   As "consensus distance" in Kong et al. 2021 (arXiv 2102.04828), relative.
  double distance(ExecSpace const& space, Vector const& parameters);

 private:
  Communicator& comm_;
  Vector piece_;  // the sum over ranks of a piece
  SumInPlace sum_;
};

}  // namespace minidad
