// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "comm/communicator.hpp"
#include "nn/backward_walk.hpp"

namespace minidad {

/// Collective; for when what all ranks share turned out not to be finite. Throws AgreedError(not_finite) naming the
/// lowest rank whose own statistics hold a NaN or an infinity, and the layer where it entered: the first whose input is
/// bad, or else the last whose delta is.
[[noreturn]] void blame_not_finite(ExecSpace const& space, Communicator& comm, std::vector<LayerStats> const& local);

}  // namespace minidad
