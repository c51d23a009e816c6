// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace minidad {

/// A file of unsigned bytes in IDX format (the MNIST family's), raw or gzip, read from front to back.
/// Every complaint is an Error(user) that names the file.
class IdxFile {
 public:
  /// Opens and checks magic, element type, number of dimensions, and that the sizes are possible for the file's length:
  /// exactly for a raw file, by deflate's largest ratio (1032) for a compressed one. Allocates nothing that the file
  /// asks for.
  IdxFile(std::string path, std::size_t dimensions);

  /// One entry per dimension, the first counts the items.
  std::vector<std::size_t> const& extent() const { return extent_; }
  std::size_t items() const { return extent_.front(); }
  std::size_t item_size() const;

  /// The next bytes; complains when the file ends before `bytes` is full.
  void read(std::span<std::uint8_t> bytes);
  /// After the last item: complains about bytes that remain.
  void expect_end();

 private:
  struct Closer {
    void operator()(void* file) const;
  };
  [[noreturn]] void complain(std::string const& what) const;
  std::size_t read_some(std::span<std::uint8_t> bytes);

  std::string path_;
  std::unique_ptr<void, Closer> file_;
  std::vector<std::size_t> extent_;
};

}  // namespace minidad
