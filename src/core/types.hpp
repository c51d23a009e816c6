// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Kokkos_Core.hpp>
#include <cstddef>
#include <cstdint>

namespace minidad {

using Real = MINIDAD_REAL;
using ExecSpace = Kokkos::DefaultExecutionSpace;

/// Row-major throughout: a row (one sample) is contiguous, so ranks concatenate by rows and Python sees the same order.
template <class Scalar>
using MatrixOf = Kokkos::View<Scalar**, Kokkos::LayoutRight, ExecSpace>;
using Matrix = MatrixOf<Real>;
using DoubleMatrix = MatrixOf<double>;  ///< for small problems whose rounding would show
using Vector = Kokkos::View<Real*, Kokkos::LayoutRight, ExecSpace>;
using ByteMatrix = Kokkos::View<std::uint8_t**, Kokkos::LayoutRight, ExecSpace>;
using Labels = Kokkos::View<std::int32_t*, Kokkos::LayoutRight, ExecSpace>;

/// Rows [begin, end) of a matrix, all columns.
template <class Scalar>
MatrixOf<Scalar> rows_of(MatrixOf<Scalar> const& m, std::size_t begin, std::size_t end) {
  return Kokkos::subview(m, Kokkos::make_pair(begin, end), Kokkos::ALL);
}
/// The first `rows` rows.
template <class Scalar>
MatrixOf<Scalar> first_rows(MatrixOf<Scalar> const& m, std::size_t rows) {
  return rows_of(m, 0, rows);
}
/// The first `rows` rows and `cols` columns, as a matrix of their own where they stand in memory: for scratch space.
template <class Scalar>
MatrixOf<Scalar> corner_of(MatrixOf<Scalar> const& scratch, std::size_t rows, std::size_t cols) {
  return MatrixOf<Scalar>(scratch.data(), rows, cols);
}
/// Columns [begin, end) of a matrix, all rows; the row stride stays that of `m`.
template <class Scalar>
MatrixOf<Scalar> columns_of(MatrixOf<Scalar> const& m, std::size_t begin, std::size_t end) {
  return Kokkos::subview(m, Kokkos::ALL, Kokkos::make_pair(begin, end));
}

}  // namespace minidad
