// SPDX-License-Identifier: BSD-3-Clause
#pragma once

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
///   iid    those that the plan deals to it.
///   class  those with a label of its group, the case of sites that each see some kinds of samples only (Baker et al. 2021,
///          arXiv 2102.09631). In the order of the file they fill the places that the plan gives the rank; what exceeds
///          the places is left out, and if places remain, the samples start over (BatchLoader). The global batch then
///          depends on the number of ranks; on one rank it is that of iid.
/// Throws Error(user) when no sample has a label of the rank's group. `plan` must outlive the result.
Keep training_share(ExecSpace const& space, DataSettings const& settings, std::uint64_t seed, BatchPlan const& plan,
                    std::size_t rank);

}  // namespace minidad
