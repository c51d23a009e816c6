// SPDX-License-Identifier: BSD-3-Clause
#include "io/seal.hpp"

#include <gtest/gtest.h>

#include "support/files.hpp"

namespace minidad {

namespace {

std::string content(std::size_t bytes) {
  std::string text(seal_block + bytes, '\0');
  for (std::size_t i = seal_block; i < text.size(); ++i) text[i] = static_cast<char>(i * i % 251);
  return text;
}

void flip(std::string const& path, std::size_t place, char mask) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(place));
  auto const byte = static_cast<char>(file.get() ^ mask);
  file.seekp(static_cast<std::streamoff>(place));
  file.put(byte);
}

}  // namespace

TEST(Seal, HoldsForFilesOfAnyLength) {
  TemporaryFolder const folder;
  for (std::size_t const bytes : {0, 1, 7, 8, 1001, (1 << 20) - 1, 1 << 20, (1 << 20) + 3}) {
    auto const path = folder.write("file", content(bytes));
    expect_error(ExitCode::user, {path, "not sealed"}, [&] { verify_seal(path); });
    seal_file(path);
    verify_seal(path);
  }
}

TEST(Seal, FindsAnyChangedByte) {
  TemporaryFolder const folder;
  auto const path = folder.write("file", content(1003));
  seal_file(path);
  for (std::size_t place = 0; place < seal_block + 1003; ++place) {
    char const mask = static_cast<char>(1 << place % 8);
    flip(path, place, mask);
    EXPECT_THROW(verify_seal(path), Error) << place;
    flip(path, place, mask);
  }
  verify_seal(path);
}

TEST(Seal, FindsMissingAndAddedBytes) {
  TemporaryFolder const folder;
  auto const path = folder.write("file", content(1000));
  seal_file(path);
  for (std::size_t const length : {seal_block + 999, seal_block + 1001, seal_block}) {
    std::filesystem::resize_file(path, length);
    expect_error(ExitCode::user, {path, "damaged"}, [&] { verify_seal(path); });
  }
  std::filesystem::resize_file(path, 10);
  expect_error(ExitCode::user, {"not sealed"}, [&] { verify_seal(path); });
}

TEST(Seal, SaysWhatIsNoFile) {
  TemporaryFolder const folder;
  expect_error(ExitCode::user, {"nothing", "No such file"}, [&] { verify_seal(folder.path("nothing")); });
  expect_error(ExitCode::user, {"not a file"}, [&] { verify_seal(folder.path("")); });
  expect_error(ExitCode::run_time, {"nothing", "sealed"}, [&] { seal_file(folder.path("nothing")); });
}

}  // namespace minidad
