// SPDX-License-Identifier: BSD-3-Clause
#include "exchange/blame.hpp"

#include <fmt/format.h>

#include <optional>

#include "core/error.hpp"
#include "linalg/rows.hpp"

namespace minidad {

namespace {

struct Entry {
  std::size_t layer;
  bool delta;
};

std::optional<Entry> first_bad(ExecSpace const& space, std::vector<LayerStats> const& local) {
  for (std::size_t l = 0; l < local.size(); ++l)
    if (count_not_finite(space, local[l].input) > 0) return Entry{l, false};
  for (std::size_t l = local.size(); l-- > 0;)
    if (count_not_finite(space, local[l].delta) > 0) return Entry{l, true};
  return std::nullopt;
}

}  // namespace

void blame_not_finite(ExecSpace const& space, Communicator& comm, std::vector<LayerStats> const& local) {
  auto const bad = first_bad(space, local);
  auto const mine = static_cast<std::uint64_t>(comm.rank()), ranks = static_cast<std::uint64_t>(comm.size());
  // The lowest bad rank speaks: (ranks - rank) in the upper half, what is bad in the lower.
  std::uint64_t word[1] = {bad ? ((ranks - mine) << 32) | (bad->layer << 1) | (bad->delta ? 1 : 0) : 0};
  comm.max(std::span<std::uint64_t>(word));
  if (word[0] == 0)
    throw AgreedError(ExitCode::not_finite, "numbers overflowed, though every rank's statistics are finite");
  throw AgreedError(ExitCode::not_finite,
                    fmt::format("rank {}, layer {}: the {} not finite", ranks - (word[0] >> 32),
                                (word[0] & 0xFFFFFFFFu) >> 1, (word[0] & 1) != 0 ? "deltas are" : "inputs are"));
}

}  // namespace minidad
