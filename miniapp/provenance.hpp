// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "comm/communicator.hpp"
#include "config/settings.hpp"
#include "io/records.hpp"

namespace minidad {

/// What --version prints.
std::string version_text(Communicator const& comm);

/// What a run knows of itself alone.
struct RunOrigin {
  std::string command;
  std::string id;            ///< of the run as a whole, from its first start
  std::string restarts;      ///< one line each
  std::int64_t total_steps;  ///< when it will be done
};

/// Where a run comes from, as the run file keeps it (see io/schema.hpp).
Provenance provenance(Communicator const& comm, Settings const& settings, Model const& model, RunOrigin const& origin);

}  // namespace minidad
