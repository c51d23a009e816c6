// SPDX-License-Identifier: BSD-3-Clause
#include "io/publish.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "core/error.hpp"

namespace minidad {

namespace {

[[noreturn]] void fail(std::string const& path, char const* what) {
  throw Error(ExitCode::run_time, fmt::format("{} cannot be {}: {}", path, what, std::strerror(errno)));
}

/// Of a file or a folder.
void bring_to_disk(std::string const& path) {
  int const file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail(path, "opened");
  // A file system that knows no such thing for folders says EINVAL, and then there is nothing to do.
  bool const done = fsync(file) == 0 || errno == EINVAL;
  int const reason = errno;
  close(file);
  errno = reason;
  if (!done) fail(path, "brought to disk");
}

}  // namespace

void publish_file(std::string const& temporary, std::string const& path) {
  bring_to_disk(temporary);
  if (std::rename(temporary.c_str(), path.c_str()) != 0) fail(temporary, "renamed");
  bring_to_disk(std::filesystem::absolute(path).parent_path().string());
}

}  // namespace minidad
