// SPDX-License-Identifier: BSD-3-Clause
#include "data/idx_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

namespace minidad {

namespace {

constexpr std::size_t largest_item_count = std::size_t{1} << 48;  // keeps products of sizes from overflowing

}  // namespace

std::size_t IdxFile::item_size() const {
  std::size_t size = 1;
  for (std::size_t d = 1; d < extent_.size(); ++d) size *= extent_[d];
  return size;
}

IdxFile::IdxFile(std::string path, std::size_t dimensions) : file_(std::move(path)) {
  // Header: 0, 0, element type, number of dimensions, then each size as a big-endian 32-bit number.
  std::array<std::uint8_t, 4> magic{};
  if (file_.read_some(magic) < magic.size()) file_.complain("too short for an IDX header");
  if (magic[0] != 0 || magic[1] != 0)
    file_.complain(fmt::format("not an IDX file: it starts with {:02x}{:02x}, not 0000", magic[0], magic[1]));
  if (magic[2] != 0x08)
    file_.complain(fmt::format("holds elements of IDX type 0x{:02x}; only bytes (0x08) are read", magic[2]));
  if (magic[3] != dimensions)
    file_.complain(fmt::format("has {} dimensions where {} are expected", magic[3], dimensions));
  std::size_t total = 1;
  for (std::size_t d = 0; d < dimensions; ++d) {
    std::array<std::uint8_t, 4> size{};
    if (file_.read_some(size) < size.size()) file_.complain("too short for an IDX header");
    extent_.push_back((std::size_t{size[0]} << 24) | (std::size_t{size[1]} << 16) | (std::size_t{size[2]} << 8) |
                      size[3]);
    if (extent_.back() == 0) file_.complain(fmt::format("dimension {} is zero", d));
    if (total > largest_item_count / extent_.back()) file_.complain("its dimensions are beyond any file");
    total *= extent_.back();
  }
  file_.expect_possible(4 + 4 * dimensions + total, fmt::format("{}", fmt::join(extent_, " x ")));
}

}  // namespace minidad
