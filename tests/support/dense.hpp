// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <random>
#include <vector>

#include "linalg/factors.hpp"
#include "linalg/small_dense.hpp"
#include "support/host_copy.hpp"

namespace minidad {

/// A matrix in double on the host, and its singular values: what everything low-rank is compared with.
struct Dense {
  std::size_t rows = 0, cols = 0;
  std::vector<double> x;

  Dense(std::size_t r, std::size_t c) : rows(r), cols(c), x(r * c) {}
  /// AᵀD, element by element.
  explicit Dense(Factors const& g) : Dense(g.input.extent(1), g.delta.extent(1)) {
    auto const a = host_copy(g.input), d = host_copy(g.delta);
    for (std::size_t n = 0; n < g.rows(); ++n)
      for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < cols; ++j)
          x[i * cols + j] += static_cast<double>(a[n * rows + i]) * static_cast<double>(d[n * cols + j]);
  }
  Dense& operator+=(Dense const& other) { return add(1, other); }
  Dense& operator-=(Dense const& other) { return add(-1, other); }
  Dense& add(double factor, Dense const& other) {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += factor * other.x[i];
    return *this;
  }
  friend Dense operator-(Dense a, Dense const& b) {
    a -= b;
    return a;
  }

  double norm() const {
    double sum = 0;
    for (double const value : x) sum += value * value;
    return std::sqrt(sum);
  }
  SmallSvd svd() const {
    SmallSvd svd(rows, cols);
    svd.solve(x, rows, cols);
    return svd;
  }
  std::vector<double> singular_values() const {
    auto const all = svd();
    return {all.values().begin(), all.values().end()};
  }
  /// The best approximation of rank r.
  Dense truncated(std::size_t r) const {
    auto const all = svd();
    auto const k = all.values().size();
    Dense best(rows, cols);
    for (std::size_t s = 0; s < std::min(r, k); ++s)
      for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < cols; ++j)
          best.x[i * cols + j] += all.left()[i * k + s] * all.values()[s] * all.right()[s * cols + j];
    return best;
  }
};

/// A view with these values, row by row.
inline Matrix device_matrix(std::size_t rows, std::size_t cols, std::vector<double> const& values) {
  Matrix const m("minidad::test::matrix", rows, cols);
  auto const host = Kokkos::create_mirror_view(m);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < cols; ++c) host(r, c) = static_cast<Real>(values[r * cols + c]);
  Kokkos::deep_copy(m, host);
  return m;
}

/// Rows of Gaussian numbers; `rectified`: negative inputs become 0, as after a ReLU, so that their mean dominates.
inline Factors random_factors(std::size_t rows, std::size_t in, std::size_t out, unsigned seed,
                              bool rectified = false) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  std::vector<double> a(rows * in), d(rows * out);
  for (auto& value : a) value = rectified ? std::max(0.0, normal(engine)) : normal(engine);
  for (auto& value : d) value = normal(engine);
  return {device_matrix(rows, in, a), device_matrix(rows, out, d)};
}

/// `few` rows for an in × out problem.
inline Factors empty_factors(std::size_t few, std::size_t in, std::size_t out) {
  return {Matrix("minidad::test::input", few, in), Matrix("minidad::test::delta", few, out)};
}

/// AᵀD by its definition, in double, row-major.
inline std::vector<double> dense_product(Factors const& g) {
  auto const a = host_copy(g.input), d = host_copy(g.delta);
  auto const in = g.input.extent(1), out = g.delta.extent(1);
  std::vector<double> product(in * out);
  for (std::size_t row = 0; row < g.rows(); ++row)
    for (std::size_t i = 0; i < in; ++i)
      for (std::size_t o = 0; o < out; ++o)
        product[i * out + o] += static_cast<double>(a[row * in + i]) * static_cast<double>(d[row * out + o]);
  return product;
}

struct DenseSvd {
  std::vector<double> values, right;  ///< descending; (values, cols): right vectors in rows
};
inline DenseSvd dense_svd(std::vector<double> const& m, std::size_t rows, std::size_t cols) {
  SmallSvd svd(rows, cols);
  svd.solve(m, rows, cols);
  auto const values = svd.values();
  return {{values.begin(), values.end()}, {svd.right(), svd.right() + values.size() * cols}};
}
inline DenseSvd dense_svd(Matrix const& m) {
  auto const host = host_copy(m);
  return dense_svd({host.begin(), host.end()}, m.extent(0), m.extent(1));
}

}  // namespace minidad
