// SPDX-License-Identifier: BSD-3-Clause
#include "train/replica_check.hpp"

#include <fmt/format.h>

#include "core/digest.hpp"
#include "core/error.hpp"

namespace minidad {

void check_replicas(ExecSpace const& space, Communicator& comm, Parameters const& parameters, std::int64_t step) {
  std::vector<std::uint64_t> digests;
  for (auto const& layer : parameters.layer) digests.push_back(digest(space, layer.all));
  if (auto const layer = comm.first_difference(digests))
    throw AgreedError(
        ExitCode::run_time,
        fmt::format("the replicas differ after step {}: layer {} has not the same bits on all ranks", step, *layer));
}

}  // namespace minidad
