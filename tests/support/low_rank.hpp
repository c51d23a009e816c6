// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "support/dense.hpp"
#include "support/small_problem.hpp"

namespace minidad {

inline constexpr double eps = std::numeric_limits<Real>::epsilon();
/// Sums over tens of rows and layers tens wide, of factors that were themselves sums: some hundred roundings.
inline constexpr double exact_tolerance = 1000 * eps;

inline SmallProblem::Options with(std::string const& method, LowRankSettings const& low_rank) {
  return {.exchange = {.method = method, .low_rank = low_rank}};
}

/// Everything compressed, however little it gains.
inline constexpr double always = 0;

using Flat = std::vector<double>;

inline Flat doubles(std::vector<Real> const& values) { return {values.begin(), values.end()}; }

inline Flat& operator+=(Flat& sum, Flat const& more) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += more[i];
  return sum;
}

inline double norm(Flat const& x) {
  double sum = 0;
  for (double const value : x) sum += value * value;
  return std::sqrt(sum);
}

inline double distance(Flat x, Flat const& y) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] -= y[i];
  return norm(x) / norm(y);
}

/// The weights of one layer in a flat gradient.
inline Flat weights_of(SmallProblem const& problem, Flat const& flat, std::size_t layer) {
  std::size_t begin = 0;
  auto const& shapes = problem.model.shapes();
  for (std::size_t l = 0; l < layer; ++l) begin += shapes[l].size();
  auto const first = flat.begin() + static_cast<std::ptrdiff_t>(begin);
  return {first, first + static_cast<std::ptrdiff_t>(shapes[layer].in * shapes[layer].out)};
}

inline Dense dense_weights(SmallProblem const& problem, Flat const& flat, std::size_t layer) {
  auto const& shape = problem.model.shapes()[layer];
  Dense dense(shape.in, shape.out);
  dense.x = weights_of(problem, flat, layer);
  return dense;
}

struct Case {
  std::string name, method;
  LowRankSettings settings;
};

}  // namespace minidad
