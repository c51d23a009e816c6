// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "comm/communicator.hpp"
#include "config/settings.hpp"
#include "io/records.hpp"

namespace minidad {

/// What --version prints.
std::string version_text(Communicator const& comm);

/// Where a run comes from, as the run file keeps it (see io/schema.hpp).
/// `run_id`: of the run as a whole, from its first start; `restarts`: one line each.
Provenance provenance(Communicator const& comm, Settings const& settings, Model const& model,
                      std::string const& command, std::string const& run_id, std::string const& restarts);

}  // namespace minidad
