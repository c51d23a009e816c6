// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>

#include "core/types.hpp"

namespace minidad {

/// The way of a small contiguous matrix to the host, where LAPACK is, and back. Both ends wait for the copy.
class SmallTransfer {
 public:
  explicit SmallTransfer(std::size_t max_size);
  /// m's elements, row-major; valid until the next call.
  std::span<double const> fetch(ExecSpace const& space, DoubleMatrix const& m);
  /// m <- values, rounded where needed; m.size() of them. Scalar is float or double.
  template <class Scalar>
  void put(ExecSpace const& space, std::span<double const> values, MatrixOf<Scalar> const& m);

 private:
  template <class Scalar>
  using Host = Kokkos::View<Scalar*, Kokkos::HostSpace>;
  Host<double> double_;
  Host<float> float_;
};

}  // namespace minidad
