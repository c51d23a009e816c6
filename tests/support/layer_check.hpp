// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "nn/layer_list.hpp"

namespace minidad {

/// How far gradients may be from central differences: h = eps^(1/3) balances truncation (h²) and rounding (eps / h),
/// both then about eps^(2/3), 2.4e-5 in float and 3.7e-11 in double. The factor 32 covers third derivatives and the
/// roundings of the loss; in double the bound is 1.2e-9, far below 1e-6.
double difference_tolerance();

/// Compares, on a batch of 3 samples, the gradient of every parameter with central differences of the loss; and, for
/// every layer with a product, the gradient from statistics as they travel with the blocks of AᵀD. Things that are
/// random (dropout) stay the same throughout. `roughness` multiplies the tolerance where third derivatives are large:
/// say why.
void expect_gradients_match_differences(Model const& model, double roughness = 1);
void expect_gradients_match_differences(std::vector<std::string> const& lines, ModelEnds const& ends,
                                        double roughness = 1);

/// What a list of layers, model.layers, is refused with; empty: it is not.
std::string layer_complaint(std::vector<std::string> const& lines, ModelEnds const& ends);

}  // namespace minidad
