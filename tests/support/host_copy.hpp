// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <vector>

#include "core/types.hpp"

namespace minidad {

/// A view's elements in row-major order; views may be strided.
inline std::vector<Real> host_copy(Matrix const& m) {
  Matrix const packed("minidad::test::packed", m.extent(0), m.extent(1));
  Kokkos::deep_copy(packed, m);
  auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), packed);
  return {host.data(), host.data() + host.size()};
}
inline std::vector<Real> host_copy(Vector const& v) {
  auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v);
  return {host.data(), host.data() + host.size()};
}

inline Matrix matrix_from(std::vector<Real> const& values, std::size_t rows, std::size_t cols) {
  Matrix const m("minidad::test::matrix", rows, cols);
  auto const host = Kokkos::create_mirror_view(m);
  std::copy(values.begin(), values.end(), host.data());
  Kokkos::deep_copy(m, host);
  return m;
}

/// Reproducible numbers in (-1, 1).
inline std::vector<Real> wavy(std::size_t n, double phase = 0) {
  std::vector<Real> values(n);
  for (std::size_t i = 0; i < n; ++i)
    values[i] = static_cast<Real>(std::sin(12.9898 * static_cast<double>(i + 1) + phase) *
                                  std::cos(0.37 * static_cast<double>(i)));
  return values;
}

/// ||a - b|| / ||b||
inline double relative_distance(std::vector<Real> const& a, std::vector<Real> const& b) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    size += std::pow(static_cast<double>(b[i]), 2);
  }
  return std::sqrt(difference / size);
}

}  // namespace minidad
