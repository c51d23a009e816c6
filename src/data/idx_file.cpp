// SPDX-License-Identifier: BSD-3-Clause
#include "data/idx_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
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
constexpr std::size_t largest_item_count = std::size_t{1} << 48;  // keeps products of sizes from overflowing

}  // namespace

void IdxFile::Closer::operator()(void* file) const { gzclose(static_cast<gzFile>(file)); }

void IdxFile::complain(std::string const& what) const { refuse(fmt::format("{}: {}", path_, what)); }

std::size_t IdxFile::item_size() const {
  std::size_t size = 1;
  for (std::size_t d = 1; d < extent_.size(); ++d) size *= extent_[d];
  return size;
}

IdxFile::IdxFile(std::string path, std::size_t dimensions) : path_(std::move(path)) {
  std::error_code status;
  if (!std::filesystem::is_regular_file(path_, status)) complain(status ? status.message() : "not a file");
  auto const length = std::filesystem::file_size(path_, status);
  if (status) complain(status.message());
  errno = 0;
  file_.reset(gzopen(path_.c_str(), "rb"));
  if (!file_) complain(errno != 0 ? std::strerror(errno) : "cannot be opened");
  gzbuffer(static_cast<gzFile>(file_.get()), 1 << 18);

  // Header: 0, 0, element type, number of dimensions, then each size as a big-endian 32-bit number.
  std::array<std::uint8_t, 4> magic{};
  if (read_some(magic) < magic.size()) complain("too short for an IDX header");
  if (magic[0] != 0 || magic[1] != 0)
    complain(fmt::format("not an IDX file: it starts with {:02x}{:02x}, not 0000", magic[0], magic[1]));
  if (magic[2] != 0x08)
    complain(fmt::format("holds elements of IDX type 0x{:02x}; only bytes (0x08) are read", magic[2]));
  if (magic[3] != dimensions) complain(fmt::format("has {} dimensions where {} are expected", magic[3], dimensions));
  std::size_t total = 1;
  for (std::size_t d = 0; d < dimensions; ++d) {
    std::array<std::uint8_t, 4> size{};
    if (read_some(size) < size.size()) complain("too short for an IDX header");
    extent_.push_back((std::size_t{size[0]} << 24) | (std::size_t{size[1]} << 16) | (std::size_t{size[2]} << 8) |
                      size[3]);
    if (extent_.back() == 0) complain(fmt::format("dimension {} is zero", d));
    if (total > largest_item_count / extent_.back()) complain("its dimensions are beyond any file");
    total *= extent_.back();
  }
  std::size_t const header = 4 + 4 * dimensions;
  bool const raw = gzdirect(static_cast<gzFile>(file_.get())) == 1;
  if (raw && header + total != length)
    complain(fmt::format("should have {} bytes by its header ({}), but has {}", header + total,
                         fmt::join(extent_, " x "), length));
  if (!raw && total / largest_deflate_ratio > length)
    complain(fmt::format("its header promises {} bytes ({}), which {} compressed bytes cannot hold", total,
                         fmt::join(extent_, " x "), length));
}

std::size_t IdxFile::read_some(std::span<std::uint8_t> bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    auto const chunk = static_cast<unsigned>(std::min(bytes.size() - done, std::size_t{1} << 30));
    int const got = gzread(static_cast<gzFile>(file_.get()), bytes.data() + done, chunk);
    if (got < 0) {
      int code = 0;
      char const* text = gzerror(static_cast<gzFile>(file_.get()), &code);
      complain(fmt::format("damaged: {}", code == Z_ERRNO ? std::strerror(errno) : text));
    }
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

void IdxFile::read(std::span<std::uint8_t> bytes) {
  if (read_some(bytes) < bytes.size()) complain("ends before the items its header promises");
}

void IdxFile::expect_end() {
  std::array<std::uint8_t, 1> extra{};
  if (read_some(extra) > 0) complain("goes on after the items its header promises");
  int code = Z_OK;  // zlib reports a stream cut inside its last checksum here only
  gzerror(static_cast<gzFile>(file_.get()), &code);
  if (code != Z_OK && code != Z_STREAM_END) complain("damaged: its compressed data is cut off");
}

}  // namespace minidad
