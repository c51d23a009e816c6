// SPDX-License-Identifier: BSD-3-Clause
#include "io/hdf5_array.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <type_traits>

#include "core/error.hpp"
#include "io/hdf5.hpp"

namespace minidad {

namespace {

template <class T>
hid_t memory_type() {
  if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_NATIVE_UINT8;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_NATIVE_INT64;
  return std::is_same_v<T, float> ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE;
}

}  // namespace

struct Hdf5Array::Open {
  Handle file, set;
};

Hdf5Array::Hdf5Array(Hdf5Array&&) noexcept = default;
Hdf5Array::~Hdf5Array() = default;

void Hdf5Array::complain(std::string const& what) const { refuse(fmt::format("{}: {}: {}", path_, name_, what)); }

Hdf5Array::Hdf5Array(std::string path, std::string name) : path_(std::move(path)), name_(std::move(name)) {
  prepare_hdf5();
  std::error_code status;
  if (!std::filesystem::is_regular_file(path_, status))
    refuse(fmt::format("{}: {}", path_, status ? status.message() : "not a file"));
  try {
    Handle file(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose, path_);
    Handle set(H5Dopen2(file.get(), name_.c_str(), H5P_DEFAULT), H5Dclose, name_);
    open_ = std::make_unique<Open>(Open{std::move(file), std::move(set)});
  } catch (Error const& error) {
    complain(error.what());
  }
  auto const id = open_->set.get();
  Handle const type(H5Dget_type(id), H5Tclose, name_), space(H5Dget_space(id), H5Sclose, name_);
  auto const kind = H5Tget_class(type.get());
  if (kind != H5T_INTEGER && kind != H5T_FLOAT) complain("does not hold numbers");
  integers_ = kind == H5T_INTEGER;
  bytes_ = integers_ && H5Tget_size(type.get()) == 1 && H5Tget_sign(type.get()) == H5T_SGN_NONE;
  auto const dimensions = H5Sget_simple_extent_ndims(space.get());
  if (dimensions < 1) complain("has no dimensions");
  std::vector<hsize_t> size(static_cast<std::size_t>(dimensions));
  H5Sget_simple_extent_dims(space.get(), size.data(), nullptr);
  std::size_t total = 1;
  for (auto const n : size) {
    if (n == 0) complain("is empty");
    if (total > (std::size_t{1} << 48) / n) complain("its dimensions are beyond any file");
    total *= n;
    extent_.push_back(n);
  }
}

template <class T>
void Hdf5Array::read_as(std::size_t first, std::span<T> to) const {
  std::vector<hsize_t> start(extent_.size(), 0), count(extent_.begin(), extent_.end());
  std::size_t row = 1;
  for (std::size_t d = 1; d < extent_.size(); ++d) row *= extent_[d];
  start[0] = first;
  count[0] = to.size() / row;
  require(to.size() % row == 0 && first + count[0] <= extent_[0], "Hdf5Array: whole rows that exist");
  try {
    Handle const space(H5Dget_space(open_->set.get()), H5Sclose, name_), memory(simple_space(count));
    check_hdf5(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr), name_);
    check_hdf5(H5Dread(open_->set.get(), memory_type<T>(), memory.get(), space.get(), H5P_DEFAULT, to.data()), name_);
  } catch (Error const& error) {
    complain(error.what());
  }
}

void Hdf5Array::read(std::size_t first, std::span<std::uint8_t> to) const { read_as(first, to); }
void Hdf5Array::read(std::size_t first, std::span<Real> to) const { read_as(first, to); }
void Hdf5Array::read(std::size_t first, std::span<std::int64_t> to) const { read_as(first, to); }

}  // namespace minidad
