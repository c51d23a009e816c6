// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/error.hpp"

namespace minidad {

/// A folder that goes away with the test.
class TemporaryFolder {
 public:
  TemporaryFolder()
      : path_(std::filesystem::temp_directory_path() / fmt::format("minidad_test_{}_{}", getpid(), counter_++)) {
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(TemporaryFolder const&) = delete;

  std::string write(std::string const& name, std::string const& content) const {
    auto const file = (path_ / name).string();
    std::ofstream(file, std::ios::binary) << content;
    return file;
  }
  std::string path(std::string const& name) const { return (path_ / name).string(); }

 private:
  inline static int counter_ = 0;
  std::filesystem::path path_;
};

/// An IDX file's bytes: header with the given element type and sizes, then `content`.
inline std::string idx_bytes(std::vector<std::uint32_t> const& sizes, std::string const& content, char type = 0x08) {
  std::string bytes{0, 0, type, static_cast<char>(sizes.size())};
  for (auto const size : sizes)
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift);
  return bytes + content;
}

/// Runs `work`, which must throw an Error of this code whose text holds every one of `parts`.
template <class F>
void expect_error(ExitCode code, std::vector<std::string> const& parts, F const& work) {
  try {
    work();
    ADD_FAILURE() << "nothing was thrown";
  } catch (Error const& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    for (auto const& part : parts)
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos)
          << "'" << part << "' is not in: " << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << "more than one line: " << error.what();
  }
}

}  // namespace minidad
