// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "data/batch_plan.hpp"
#include "data/dataset.hpp"

namespace minidad {

/// Labels [first, last).
struct LabelGroup {
  std::int32_t first, last;
};

/// The labels of a rank in the class split: neighbours, dealt out evenly, so that no two ranks share one.
LabelGroup label_group(std::size_t classes, std::size_t rank, std::size_t ranks);

/// What `rank` keeps of the training samples. data.split says which:
///   iid        those that the plan deals to it.
///   class      those with a label of its group, the case of sites that each see some kinds of samples only (Baker
///              et al. 2021, arXiv 2102.09631).
///   skewed     the first data.skew of each class stand sorted by class, the others shuffled, and a rank has an equal
///              part of both: 0 mixes everything, 1 parts the classes (Hsieh et al. 2020, arXiv 1910.00189).
///   dirichlet  each class is dealt to the ranks by shares drawn from Dir(data.alpha): the smaller alpha, the more
///              unlike the ranks (Hsu et al. 2019, arXiv 1909.06335).
/// By all but iid the rank's samples, in the order of the file, fill the places that the plan gives it; what exceeds
/// the places is left out (at the end of the file by class, evenly otherwise), and if places remain, the samples start
/// over (BatchLoader). The global batch then depends on the number of ranks; by class, on one rank it is that of iid.
/// Throws Error(user) when no sample is left for the rank. `plan` must outlive the result.
Keep training_share(ExecSpace const& space, DataSettings const& settings, std::uint64_t seed, BatchPlan const& plan,
                    std::size_t rank);

/// The samples that "skewed" and "dirichlet" give a rank, ascending, before places are looked at.
std::vector<std::size_t> skewed_share(std::vector<std::int32_t> const& labels, std::size_t classes, double skew,
                                      std::uint64_t seed, std::size_t rank, std::size_t ranks);
std::vector<std::size_t> dirichlet_share(std::vector<std::int32_t> const& labels, std::size_t classes, double alpha,
                                         std::uint64_t seed, std::size_t rank, std::size_t ranks);

/// How many samples of each class there are.
std::vector<std::int64_t> count_classes(Labels const& label, std::size_t classes);

}  // namespace minidad
