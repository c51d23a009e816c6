// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <span>

namespace minidad {

// What the singular values sigma_1 >= sigma_2 >= ... of a gradient say about it. `norm_squared` is ||G||²_F, the sum of
// all their squares, also of those that are not listed. A zero gradient has rank 0 and error 0.

/// The least r with ||G - G_r||_F <= eps ||G||_F, G_r being the best approximation of rank r; values.size() + 1 where
/// more than the listed values are needed.
std::size_t effective_rank(std::span<double const> values, double norm_squared, double eps);

/// ||G - G_r||_F / ||G||_F.
double truncation_error(std::span<double const> values, double norm_squared, std::size_t r);

/// ||G||²_F / sigma_1².
double stable_rank(std::span<double const> values, double norm_squared);

/// exp(-sum over j of p_j ln p_j), p_j = sigma_j² / sum of the listed sigma².
double entropy_rank(std::span<double const> values);

/// The sum of squares.
double sum_of_squares(std::span<double const> values);

}  // namespace minidad
