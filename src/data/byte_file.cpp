// SPDX-License-Identifier: BSD-3-Clause
#include "data/byte_file.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/error.hpp"

namespace minidad {

namespace {

constexpr std::size_t largest_deflate_ratio = 1032;

gzFile handle(void* file) { return static_cast<gzFile>(file); }

}  // namespace

void ByteFile::Closer::operator()(void* file) const { gzclose(handle(file)); }

void ByteFile::complain(std::string const& what) const { refuse(fmt::format("{}: {}", path_, what)); }

ByteFile::ByteFile(std::string path) : path_(std::move(path)) {
  std::error_code status;
  if (!std::filesystem::is_regular_file(path_, status)) complain(status ? status.message() : "not a file");
  length_ = std::filesystem::file_size(path_, status);
  if (status) complain(status.message());
  errno = 0;
  file_.reset(gzopen(path_.c_str(), "rb"));
  if (!file_) complain(errno != 0 ? std::strerror(errno) : "cannot be opened");
  gzbuffer(handle(file_.get()), 1 << 18);
}

void ByteFile::expect_possible(std::size_t total, std::string const& header) const {
  bool const raw = gzdirect(handle(file_.get())) == 1;
  if (raw && total != length_)
    complain(fmt::format("should have {} bytes by its header ({}), but has {}", total, header, length_));
  if (!raw && total / largest_deflate_ratio > length_)
    complain(fmt::format("its header promises {} bytes ({}), which {} compressed bytes cannot hold", total, header,
                         length_));
}

std::size_t ByteFile::read_some(std::span<std::uint8_t> bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    auto const chunk = static_cast<unsigned>(std::min(bytes.size() - done, std::size_t{1} << 30));
    int const got = gzread(handle(file_.get()), bytes.data() + done, chunk);
    if (got < 0) {
      int code = 0;
      char const* text = gzerror(handle(file_.get()), &code);
      complain(fmt::format("damaged: {}", code == Z_ERRNO ? std::strerror(errno) : text));
    }
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

void ByteFile::read(std::span<std::uint8_t> bytes) {
  if (read_some(bytes) < bytes.size()) complain("ends before the items its header promises");
}

void ByteFile::expect_end() {
  std::array<std::uint8_t, 1> extra{};
  if (read_some(extra) > 0) complain("goes on after the items its header promises");
  int code = Z_OK;  // zlib reports a stream cut inside its last checksum here only
  gzerror(handle(file_.get()), &code);
  if (code != Z_OK && code != Z_STREAM_END) complain("damaged: its compressed data is cut off");
}

std::string ByteFile::read_rest() {
  constexpr std::size_t piece = std::size_t{1} << 20;
  std::string bytes;
  for (std::size_t got = piece; got == piece;) {
    auto const before = bytes.size();
    bytes.resize(before + piece);
    got = read_some({reinterpret_cast<std::uint8_t*>(bytes.data()) + before, piece});
    bytes.resize(before + got);
  }
  expect_end();
  return bytes;
}

}  // namespace minidad
