// SPDX-License-Identifier: BSD-3-Clause
#include "io/publish.hpp"

#include <gtest/gtest.h>

#include "support/files.hpp"

namespace minidad {

TEST(PublishFile, ReplacesWhatHadTheName) {
  TemporaryFolder const folder;
  auto const path = folder.write("file", "old"), temporary = folder.write("file.tmp", "new");
  publish_file(temporary, path);
  std::string content;
  std::ifstream(path) >> content;
  EXPECT_EQ(content, "new");
  EXPECT_FALSE(std::filesystem::exists(temporary));
}

TEST(PublishFile, SaysWhatFailedAndLeavesWhatHadTheName) {
  TemporaryFolder const folder;
  auto const path = folder.write("file", "old"), temporary = folder.path("file.tmp");
  expect_error(ExitCode::run_time, {temporary, "opened", "No such file"}, [&] { publish_file(temporary, path); });
  std::filesystem::create_directories(folder.path("taken/inside"));
  folder.write("file.tmp", "new");
  expect_error(ExitCode::run_time, {temporary, "renamed"}, [&] { publish_file(temporary, folder.path("taken")); });
  std::string content;
  std::ifstream(path) >> content;
  EXPECT_EQ(content, "old");
}

}  // namespace minidad
