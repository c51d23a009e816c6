// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "core/types.hpp"

namespace minidad {

/// A matrix G = inputᵀ delta (in, out), kept as the rows it is made of: the backprop statistics of a layer, or a few
/// rows whose product stands for them.
struct Factors {
  Matrix input;  ///< A: (rows, in)
  Matrix delta;  ///< D: (rows, out)
  std::size_t rows() const { return input.extent(0); }
};

inline Factors rows_of(Factors const& g, std::size_t begin, std::size_t end) {
  return {rows_of(g.input, begin, end), rows_of(g.delta, begin, end)};
}
inline Factors first_rows(Factors const& g, std::size_t rows) { return rows_of(g, 0, rows); }

}  // namespace minidad
