// SPDX-License-Identifier: BSD-3-Clause
#include "core/error.hpp"

#include <fmt/format.h>

namespace minidad {

void refuse(std::string const& what) { throw Error(ExitCode::user, what); }

void require(bool ok, std::string_view what, char const* file, int line) {
  if (!ok) throw Error(ExitCode::internal, fmt::format("{} ({}:{})", what, file, line));
}

}  // namespace minidad
