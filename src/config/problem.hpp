// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "config/settings.hpp"
#include "data/dataset.hpp"
#include "nn/model.hpp"

namespace minidad {

/// What is known of a run before its data is read.
struct Problem {
  DatasetSize train{}, test{};
  Model model{SampleShape{}};
  std::size_t row_block = 1;  ///< rows whose products are formed together; 1: no blocks
};

/// Throws Error(user) when the data does not fit the settings or the ranks.
Problem pose_problem(Settings const& settings, int ranks);

/// Samples [first, last) of `total` that a rank evaluates: its part, or all when it is not a replica of the others.
struct Stretch {
  std::size_t first, last;
};
Stretch test_stretch(std::size_t total, int rank, int ranks, bool replicates);

}  // namespace minidad
