// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "data/dataset.hpp"

namespace minidad {

// Samples that nobody has to have files for: uniform bytes, labelled by a fixed random network. Sample i is a function
// of (seed, subset, i) alone.

/// Without data.train_limit.
DatasetSize synthetic_size(DataSettings const& settings, Subset subset);
Dataset make_synthetic(ExecSpace const& space, DataSettings const& settings, Subset subset, std::uint64_t seed,
                       Keep const& keep);
/// Generated piece by piece and dropped.
std::vector<std::int32_t> make_synthetic_labels(ExecSpace const& space, DataSettings const& settings, Subset subset,
                                                std::uint64_t seed);

}  // namespace minidad
