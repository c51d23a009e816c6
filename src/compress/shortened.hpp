// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "compress/row_reducer.hpp"

namespace minidad {

/// G = AᵀD of more rows than its shorter side has is made of that many rows exactly: (DᵀA, I) or (I, AᵀD). Tokens and
/// pixels come in thousands of rows, and a classifier's last layer is narrower than a batch.
class Shortened {
 public:
  explicit Shortened(ReducerShape const& shape);
  std::size_t max_rows() const { return max_rows_; }
  /// `rows` itself when there are few enough.
  Factors operator()(ExecSpace const& space, Factors const& rows) const;

 private:
  std::size_t max_rows_;
  Factors folded_;
};

}  // namespace minidad
