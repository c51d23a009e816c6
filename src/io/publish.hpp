// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

namespace minidad {

/// Gives a finished, closed file its name, so that whatever happens, power cuts included, the name stands for all of the
/// new file or for what it stood for before: the bytes reach the disk, then the name, then the folder that holds it.
/// Throws Error(run_time).
void publish_file(std::string const& temporary, std::string const& path);

}  // namespace minidad
