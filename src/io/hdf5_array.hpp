// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/types.hpp"

namespace minidad {

/// A dataset of numbers in anybody's HDF5 file, (rows, ...), read by rows. Every complaint is an Error(user) that names
/// file and dataset.
class Hdf5Array {
 public:
  /// Complains about what is missing, empty, or not made of numbers.
  Hdf5Array(std::string path, std::string name);
  Hdf5Array(Hdf5Array&&) noexcept;
  ~Hdf5Array();

  std::vector<std::size_t> const& extent() const { return extent_; }
  bool integers() const { return integers_; }
  /// Whether its elements are unsigned bytes.
  bool bytes() const { return bytes_; }
  [[noreturn]] void complain(std::string const& what) const;

  /// Rows from `first` on, as many as fill `to`.
  void read(std::size_t first, std::span<std::uint8_t> to) const;
  void read(std::size_t first, std::span<Real> to) const;
  void read(std::size_t first, std::span<std::int64_t> to) const;

 private:
  struct Open;
  template <class T>
  void read_as(std::size_t first, std::span<T> to) const;

  std::string path_, name_;
  std::unique_ptr<Open> open_;
  std::vector<std::size_t> extent_;
  bool integers_ = false, bytes_ = false;
};

}  // namespace minidad
