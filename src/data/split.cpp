// SPDX-License-Identifier: BSD-3-Clause
#include "data/split.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"

namespace minidad {

LabelGroup label_group(std::size_t classes, std::size_t rank, std::size_t ranks) {
  require(rank < ranks && ranks <= classes, "label_group: a class for every rank");
  return {static_cast<std::int32_t>(rank * classes / ranks), static_cast<std::int32_t>((rank + 1) * classes / ranks)};
}

namespace {

Keep share_by_class(std::vector<std::int32_t> const& labels, LabelGroup const& group, std::size_t places,
                    std::size_t rank) {
  std::vector<std::size_t> mine;
  for (std::size_t i = 0; i < labels.size() && mine.size() < places; ++i)
    if (labels[i] >= group.first && labels[i] < group.last) mine.push_back(i);
  if (mine.empty())
    refuse(fmt::format("data.split = \"class\": no training sample has a label in {} ... {}, the share of rank {}",
                       group.first, group.last - 1, rank));
  auto const count = mine.size();
  return {count, [mine = std::move(mine)](std::size_t i) {
            auto const at = std::lower_bound(mine.begin(), mine.end(), i);
            return at != mine.end() && *at == i ? static_cast<std::size_t>(at - mine.begin()) : mine.size();
          }};
}

}  // namespace

Keep training_share(ExecSpace const& space, DataSettings const& settings, std::uint64_t seed, BatchPlan const& plan,
                    std::size_t rank) {
  if (settings.split == "class")
    return share_by_class(read_labels(space, settings, Subset::train, seed),
                          label_group(static_cast<std::size_t>(settings.classes), rank, plan.ranks_at(0).parts()),
                          plan.samples_of(rank), rank);
  return {plan.samples_of(rank), [&plan, rank](std::size_t i) { return plan.place(i, rank); }};
}

}  // namespace minidad
