// SPDX-License-Identifier: BSD-3-Clause
#include "compress/spectrum.hpp"

#include <algorithm>
#include <cmath>

namespace minidad {

double sum_of_squares(std::span<double const> values) {
  double sum = 0;
  for (double const value : values) sum += value * value;
  return sum;
}

double truncation_error(std::span<double const> values, double norm_squared, std::size_t r) {
  if (norm_squared == 0) return 0;
  auto const kept = sum_of_squares(values.first(std::min(r, values.size())));
  return std::sqrt(std::max(0.0, norm_squared - kept) / norm_squared);
}

std::size_t effective_rank(std::span<double const> values, double norm_squared, double eps) {
  double missing = norm_squared;
  for (std::size_t r = 0; r <= values.size(); ++r) {
    if (missing <= eps * eps * norm_squared) return r;
    if (r < values.size()) missing -= values[r] * values[r];
  }
  return values.size() + 1;
}

double stable_rank(std::span<double const> values, double norm_squared) {
  return values.empty() || values[0] == 0 ? 0 : norm_squared / (values[0] * values[0]);
}

double entropy_rank(std::span<double const> values) {
  double const sum = sum_of_squares(values);
  if (sum == 0) return 0;
  double entropy = 0;
  for (double const value : values)
    if (double const p = value * value / sum; p > 0) entropy -= p * std::log(p);
  return std::exp(entropy);
}

}  // namespace minidad
