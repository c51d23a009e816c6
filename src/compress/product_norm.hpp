// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "compress/shortened.hpp"

namespace minidad {

/// ||AᵀD||²_F = the sum over elements of AAᵀ .* DDᵀ, in double, without forming AᵀD.
class ProductNorm {
 public:
  explicit ProductNorm(ReducerShape const& shape) : shape_(shape) {}
  /// Ends with the value on the host, so it fences. Its memory comes with the first call: not everybody asks.
  double operator()(ExecSpace const& space, Factors const& given);

 private:
  ReducerShape shape_;
  std::unique_ptr<Shortened> shorten_;
  DoubleMatrix wide_, input_, delta_;
};

}  // namespace minidad
