// SPDX-License-Identifier: BSD-3-Clause
#include "core/memory.hpp"

#include <fstream>
#include <string>

namespace minidad {

namespace {

std::size_t status_entry(std::string const& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key)) return std::stoull(line.substr(key.size())) * 1024;
  return 0;
}

}  // namespace

std::size_t resident_memory() { return status_entry("VmRSS:"); }
std::size_t peak_memory() { return status_entry("VmHWM:"); }

}  // namespace minidad
