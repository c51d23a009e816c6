// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace minidad {

/// A file of bytes, raw or gzip, read from front to back. Every complaint is an Error(user) that names the file.
class ByteFile {
 public:
  explicit ByteFile(std::string path);

  std::string const& path() const { return path_; }
  [[noreturn]] void complain(std::string const& what) const;
  /// That it can hold no other number of bytes than `total`: exactly for a raw file, by deflate's largest ratio (1032)
  /// for a compressed one. `header`: what says so.
  void expect_possible(std::size_t total, std::string const& header) const;

  /// The next bytes, as many as there are.
  std::size_t read_some(std::span<std::uint8_t> bytes);
  /// All of them; complains when the file ends before, as one whose header promises more.
  void read(std::span<std::uint8_t> bytes);
  /// Complains about bytes that remain.
  void expect_end();
  /// Everything from here on.
  std::string read_rest();

 private:
  struct Closer {
    void operator()(void* file) const;
  };
  std::string path_;
  std::size_t length_;  // on the disk
  std::unique_ptr<void, Closer> file_;
};

}  // namespace minidad
