// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "comm/communicator.hpp"
#include "nn/parameters.hpp"

namespace minidad {

/// Collective. Compares a digest of every layer's parameters across ranks (one small all-reduce: min = max) and throws
/// an AgreedError naming the step and the first layer whose bits differ.
void check_replicas(ExecSpace const& space, Communicator& comm, Parameters const& parameters, std::int64_t step);

}  // namespace minidad
