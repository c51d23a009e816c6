// SPDX-License-Identifier: BSD-3-Clause
#include "data/idx_file.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include "support/files.hpp"

namespace minidad {

std::string compressed(std::string const& bytes, std::string const& path) {
  auto* const file = gzopen(path.c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Opens, reads all items, expects the end.
std::vector<std::uint8_t> read_all(std::string const& path, std::size_t dimensions) {
  IdxFile file(path, dimensions);
  std::vector<std::uint8_t> bytes(file.items() * file.item_size());
  file.read(bytes);
  file.expect_end();
  return bytes;
}

class IdxFileTest : public testing::Test {
 protected:
  void expect_refused(std::string const& bytes, std::size_t dimensions, std::string const& because) {
    auto const path = folder_.write("bad", bytes);
    expect_error(ExitCode::user, {path, because}, [&] { read_all(path, dimensions); });
  }
  TemporaryFolder folder_;
};

TEST_F(IdxFileTest, ReadsRawAndCompressedAlike) {
  auto const bytes = idx_bytes({2, 1, 3}, "abcdef");
  compressed(bytes, folder_.path("gz"));
  for (auto const& path : {folder_.write("raw", bytes), folder_.path("gz")}) {
    IdxFile const file(path, 3);
    EXPECT_EQ(file.extent(), (std::vector<std::size_t>{2, 1, 3}));
    EXPECT_EQ(file.item_size(), 3u);
    EXPECT_EQ(read_all(path, 3), (std::vector<std::uint8_t>{'a', 'b', 'c', 'd', 'e', 'f'}));
  }
}

TEST_F(IdxFileTest, RefusesAMissingFile) {
  expect_error(ExitCode::user, {"nowhere", "No such file"}, [&] { read_all(folder_.path("nowhere"), 1); });
}
TEST_F(IdxFileTest, RefusesAFolder) {
  expect_error(ExitCode::user, {"not a file"}, [&] { read_all(folder_.path("."), 1); });
}
TEST_F(IdxFileTest, RefusesOtherMagic) { expect_refused("GIF89a..", 1, "not an IDX file: it starts with 4749"); }
TEST_F(IdxFileTest, RefusesAnEmptyFile) { expect_refused("", 1, "too short"); }
TEST_F(IdxFileTest, RefusesAHalfHeader) { expect_refused(idx_bytes({2, 1, 3}, "").substr(0, 9), 3, "too short"); }
TEST_F(IdxFileTest, RefusesOtherElements) { expect_refused(idx_bytes({2}, "ab", 0x0D), 1, "type 0x0d"); }
TEST_F(IdxFileTest, RefusesOtherDimensions) { expect_refused(idx_bytes({2}, "ab"), 3, "has 1 dimensions where 3"); }
TEST_F(IdxFileTest, RefusesAZeroDimension) { expect_refused(idx_bytes({2, 0, 3}, ""), 3, "dimension 1 is zero"); }
TEST_F(IdxFileTest, RefusesATruncatedRawFile) { expect_refused(idx_bytes({3}, "ab"), 1, "should have 11 bytes"); }
TEST_F(IdxFileTest, RefusesAnOverlongRawFile) { expect_refused(idx_bytes({1}, "ab"), 1, "should have 9 bytes"); }

// 2^96 items: refused from the header, before anything is allocated.
TEST_F(IdxFileTest, RefusesSizesBeyondAnyFile) {
  expect_refused(idx_bytes({0xffffffff, 0xffffffff, 0xffffffff}, "ab"), 3, "beyond any file");
}
TEST_F(IdxFileTest, RefusesSizesThatItsCompressedLengthCannotHold) {
  expect_refused(compressed(idx_bytes({0xffffffff}, "ab"), folder_.path("gz")), 1, "compressed bytes cannot hold");
}

TEST_F(IdxFileTest, RefusesACompressedFileThatIsCutAnywhere) {
  auto const whole = compressed(idx_bytes({200}, std::string(100, 'a') + std::string(100, 'b')), folder_.path("gz"));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    auto const path = folder_.write("cut", whole.substr(0, length));
    expect_error(ExitCode::user, {path}, [&] { read_all(path, 1); });
  }
}
TEST_F(IdxFileTest, RefusesACompressedFileWithADamagedByte) {
  auto damaged = compressed(idx_bytes({200}, std::string(100, 'a') + std::string(100, 'b')), folder_.path("gz"));
  damaged[damaged.size() - 6] = static_cast<char>(damaged[damaged.size() - 6] ^ 1);  // in the checksum
  expect_refused(damaged, 1, "damaged");
}
TEST_F(IdxFileTest, RefusesACompressedFileThatGoesOn) {
  expect_refused(compressed(idx_bytes({2}, "abc"), folder_.path("gz")), 1, "goes on");
}
TEST_F(IdxFileTest, RefusesACompressedFileThatEndsEarly) {
  expect_refused(compressed(idx_bytes({200}, "abc"), folder_.path("gz")), 1, "ends before");
}

}  // namespace minidad
