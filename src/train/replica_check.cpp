// SPDX-License-Identifier: BSD-3-Clause
#include "train/replica_check.hpp"

#include <fmt/format.h>

#include "core/digest.hpp"
#include "core/error.hpp"

namespace minidad {

void check_replicas(ExecSpace const& space, Communicator& comm, Parameters const& parameters, std::int64_t step) {
  auto const layers = parameters.layer.size();
  std::vector<std::uint64_t> extremes;  // max of h, and max of ~h, which is ~min of h
  for (auto const& layer : parameters.layer) {
    auto const h = digest(space, layer.all);
    extremes.push_back(h);
    extremes.push_back(~h);
  }
  comm.max(std::span(extremes));
  for (std::size_t l = 0; l < layers; ++l)
    if (extremes[2 * l] != ~extremes[2 * l + 1])
      throw AgreedError(
          ExitCode::run_time,
          fmt::format("the replicas differ after step {}: layer {} has not the same bits on all ranks", step, l));
}

std::uint64_t digest(ExecSpace const& space, Parameters const& parameters) {
  return digest(space, parameters.flat);
}

}  // namespace minidad
