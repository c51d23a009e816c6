// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "data/byte_file.hpp"

namespace minidad {

/// A file of unsigned bytes in IDX format (the MNIST family's), raw or gzip. Every complaint is an Error(user) that
/// names the file.
class IdxFile {
 public:
  /// Opens and checks magic, element type, number of dimensions, and that the sizes are possible for the file's length.
  /// Allocates nothing that the file asks for.
  IdxFile(std::string path, std::size_t dimensions);

  /// One entry per dimension, the first counts the items.
  std::vector<std::size_t> const& extent() const { return extent_; }
  std::size_t items() const { return extent_.front(); }
  std::size_t item_size() const;
  std::string const& path() const { return file_.path(); }

  /// The next bytes; complains when the file ends before `bytes` is full.
  void read(std::span<std::uint8_t> bytes) { file_.read(bytes); }
  /// After the last item: complains about bytes that remain.
  void expect_end() { file_.expect_end(); }

 private:
  ByteFile file_;
  std::vector<std::size_t> extent_;
};

}  // namespace minidad
