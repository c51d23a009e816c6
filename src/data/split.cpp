// SPDX-License-Identifier: BSD-3-Clause
#include "data/split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace minidad {

namespace {

using Samples = std::vector<std::size_t>;

/// Samples of each class, ascending.
std::vector<Samples> by_class(std::vector<std::int32_t> const& labels, std::size_t classes) {
  std::vector<Samples> members(classes);
  for (std::size_t i = 0; i < labels.size(); ++i) members[static_cast<std::size_t>(labels[i])].push_back(i);
  return members;
}

/// Part `rank` of `ranks` equal ones.
void add_part(Samples const& pool, std::size_t rank, std::size_t ranks, Samples& to) {
  auto const at = [&](std::size_t r) { return pool.begin() + static_cast<std::ptrdiff_t>(pool.size() * r / ranks); };
  to.insert(to.end(), at(rank), at(rank + 1));
}

Samples shuffled(Samples const& pool, std::uint64_t seed) {
  if (pool.empty()) return {};
  constexpr std::uint64_t lane = ~std::uint64_t{0};  // none of a batch plan's
  Permutation const order(seed, 0, lane, static_cast<std::uint32_t>(pool.size()));
  Samples result(pool.size());
  for (std::size_t i = 0; i < pool.size(); ++i) result[i] = pool[order(static_cast<std::uint32_t>(i))];
  return result;
}

/// log of a number that is distributed as Gamma(alpha, 1). Marsaglia & Tsang 2000 for alpha + 1, and
/// Gamma(alpha) ~ Gamma(alpha + 1) U^(1/alpha): logarithms, because tiny alpha would underflow.
double log_gamma_variate(double alpha, std::uint64_t seed, std::uint32_t which, std::uint64_t rank) {
  double const d = alpha + 1 - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (std::uint64_t attempt = 0;; ++attempt) {
    Words4 const words = philox(seed, Stream::split, which, rank << 16 | attempt);
    double const x = normal(words.x[0], words.x[1]), v = std::pow(1 + c * x, 3);
    double const u = uniform(words.x[2]) + 0x1p-25, boost = uniform(words.x[3]) + 0x1p-25;  // never zero
    if (v > 0 && std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v))
      return std::log(d * v) + std::log(boost) / alpha;
  }
}

/// Shares of the ranks, which sum to 1.
std::vector<double> dirichlet(double alpha, std::uint64_t seed, std::uint32_t which, std::size_t ranks) {
  std::vector<double> share(ranks);
  for (std::size_t r = 0; r < ranks; ++r) share[r] = log_gamma_variate(alpha, seed, which, r);
  double const top = *std::max_element(share.begin(), share.end());
  double sum = 0;
  for (auto& s : share) sum += s = std::exp(s - top);
  for (auto& s : share) s /= sum;
  return share;
}

Samples of_group(std::vector<std::int32_t> const& labels, LabelGroup const& group) {
  Samples mine;
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] >= group.first && labels[i] < group.last) mine.push_back(i);
  return mine;
}

/// `count` of them, evenly spread.
Samples thinned(Samples const& all, std::size_t count) {
  if (all.size() <= count) return all;
  Samples some(count);
  for (std::size_t i = 0; i < count; ++i) some[i] = all[i * all.size() / count];
  return some;
}

Keep keep_of(Samples mine) {
  auto const count = mine.size();
  return {count, [mine = std::move(mine)](std::size_t i) {
            auto const at = std::lower_bound(mine.begin(), mine.end(), i);
            return at != mine.end() && *at == i ? static_cast<std::size_t>(at - mine.begin()) : mine.size();
          }};
}

}  // namespace

LabelGroup label_group(std::size_t classes, std::size_t rank, std::size_t ranks) {
  require(rank < ranks && ranks <= classes, "label_group: a class for every rank");
  return {static_cast<std::int32_t>(rank * classes / ranks), static_cast<std::int32_t>((rank + 1) * classes / ranks)};
}

std::vector<std::size_t> skewed_share(std::vector<std::int32_t> const& labels, std::size_t classes, double skew,
                                      std::uint64_t seed, std::size_t rank, std::size_t ranks) {
  Samples sorted, others;
  for (auto const& members : by_class(labels, classes)) {
    auto const cut =
        members.begin() + static_cast<std::ptrdiff_t>(std::floor(skew * static_cast<double>(members.size())));
    sorted.insert(sorted.end(), members.begin(), cut);
    others.insert(others.end(), cut, members.end());
  }
  Samples mine;
  add_part(sorted, rank, ranks, mine);
  add_part(shuffled(others, seed), rank, ranks, mine);
  std::sort(mine.begin(), mine.end());
  return mine;
}

std::vector<std::size_t> dirichlet_share(std::vector<std::int32_t> const& labels, std::size_t classes, double alpha,
                                         std::uint64_t seed, std::size_t rank, std::size_t ranks) {
  Samples mine;
  auto const members = by_class(labels, classes);
  for (std::size_t c = 0; c < classes; ++c) {
    auto const share = dirichlet(alpha, seed, static_cast<std::uint32_t>(c), ranks);
    double before = 0;
    for (std::size_t r = 0; r < rank; ++r) before += share[r];
    auto const at = [&](double cumulated, bool last) {
      auto const size = static_cast<double>(members[c].size());
      return members[c].begin() +
             static_cast<std::ptrdiff_t>(last ? size : std::floor(std::min(1.0, cumulated) * size));
    };
    mine.insert(mine.end(), at(before, false), at(before + share[rank], rank + 1 == ranks));
  }
  std::sort(mine.begin(), mine.end());
  return mine;
}

Keep training_share(ExecSpace const& space, DataSettings const& settings, std::uint64_t seed, BatchPlan const& plan,
                    std::size_t rank) {
  auto const places = plan.samples_of(rank), ranks = plan.ranks_at(0).parts();
  if (settings.split == "iid") return {places, [&plan, rank](std::size_t i) { return plan.place(i, rank); }};
  auto const classes = dataset_size(settings, Subset::train).classes;
  auto const labels = read_labels(space, settings, Subset::train, seed);
  Samples mine;
  std::string whose = fmt::format("the share of rank {}", rank);
  if (settings.split == "class") {
    auto const group = label_group(classes, rank, ranks);
    mine = of_group(labels, group);
    if (mine.size() > places) mine.resize(places);
    whose = fmt::format("no training sample has a label in {} ... {}, {}", group.first, group.last - 1, whose);
  } else {
    mine = thinned(settings.split == "skewed" ? skewed_share(labels, classes, settings.skew, seed, rank, ranks)
                                              : dirichlet_share(labels, classes, settings.alpha, seed, rank, ranks),
                   places);
    whose += " is empty; use fewer ranks, more samples, or a larger data.alpha";
  }
  if (mine.empty() && places > 0) refuse(fmt::format("data.split = \"{}\": {}", settings.split, whose));
  return keep_of(std::move(mine));
}

std::vector<std::int64_t> count_classes(Labels const& label, std::size_t classes) {
  auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), label, "minidad::data::label_host");
  std::vector<std::int64_t> count(classes, 0);
  for (std::size_t i = 0; i < host.extent(0); ++i) ++count[static_cast<std::size_t>(host(i))];
  return count;
}

}  // namespace minidad
