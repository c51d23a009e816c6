// SPDX-License-Identifier: BSD-3-Clause
#include "io/hdf5.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "io/seal.hpp"

namespace minidad {

namespace {

/// The innermost entry of HDF5's error stack says most.
std::string innermost_error() {
  std::string text;
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned n, H5E_error2_t const* entry, void* out) -> herr_t {
        if (n == 0 && entry->desc != nullptr) *static_cast<std::string*>(out) = entry->desc;
        return 0;
      },
      &text);
  return text.empty() ? "no reason given" : text;
}

}  // namespace

Handle::Handle(hid_t id, Close close, std::string_view what) : id_(id), close_(close) {
  check_hdf5(id < 0 ? -1 : 0, what);
}

void Handle::close(std::string_view what) { check_hdf5(close_(std::exchange(id_, H5I_INVALID_HID)), what); }

void check_hdf5(herr_t status, std::string_view what) {
  if (status < 0) throw Error(ExitCode::run_time, fmt::format("{}: HDF5: {}", what, innermost_error()));
}

void prepare_hdf5() {
  // On the way to an abort HDF5 must not try to close parallel files, which would wait for the other ranks.
  static bool const once = [] {
    H5dont_atexit();
    H5open();
    H5PLset_loading_state(0);  // no file shall make us load code
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    return true;
  }();
  (void)once;
}

Handle create_file(std::string const& path, RawData raw_data) {
  Handle const creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose, path), access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, path);
  check_hdf5(H5Pset_userblock(creation.get(), seal_block), path);
  use_file_driver(access.get(), raw_data);
  // Large objects begin with pages: what ranks write themselves does not meet.
  if (raw_data == RawData::left_out) check_hdf5(H5Pset_alignment(access.get(), 1 << 16, 1 << 12), path);
  return {H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), H5Fclose, path};
}

Handle open_file(std::string const& path) {
  Handle const access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, path);
  use_file_driver(access.get(), RawData::written);
  return {H5Fopen(path.c_str(), H5F_ACC_RDWR, access.get()), H5Fclose, path};
}

void close_file(Handle& file, std::string const& path) {
  file.close(path);
  expect_written(path);
}

Handle open_to_read(std::string const& path) {
  return {H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose, path};
}

Handle open_dataset(hid_t file, std::string const& name) {
  return {H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose, name};
}

Handle simple_space(std::vector<hsize_t> const& size, std::vector<hsize_t> const& max) {
  return {H5Screate_simple(static_cast<int>(size.size()), size.data(), max.empty() ? nullptr : max.data()), H5Sclose,
          "dataspace"};
}

Handle text_type() {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "text type");
  check_hdf5(H5Tset_size(type.get(), H5T_VARIABLE), "text type");
  check_hdf5(H5Tset_cset(type.get(), H5T_CSET_UTF8), "text type");
  return type;
}

void write_array(hid_t group, std::string const& name, hid_t memory_type, hsize_t size, void const* values) {
  auto const space = simple_space({size});
  Handle const set(H5Dcreate2(group, name.c_str(), memory_type, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                   H5Dclose, name);
  check_hdf5(H5Dwrite(set.get(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), name);
}

void write_scalar(hid_t group, std::string const& name, hid_t memory_type, void const* value) {
  Handle const space(H5Screate(H5S_SCALAR), H5Sclose, name);
  Handle const set(H5Dcreate2(group, name.c_str(), memory_type, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                   H5Dclose, name);
  check_hdf5(H5Dwrite(set.get(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value), name);
}

std::string read_text(hid_t group, std::string const& name) {
  auto const set = open_dataset(group, name);
  auto const type = text_type();
  char* raw = nullptr;
  check_hdf5(H5Dread(set.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, &raw), name);
  std::string text = raw == nullptr ? "" : raw;
  H5free_memory(raw);
  return text;
}

void write_text(hid_t group, std::string const& name, std::string const& text) {
  char const* raw = text.c_str();
  write_scalar(group, name, text_type().get(), &raw);
}

namespace {

Handle fixed_text_type(std::size_t length) {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "text type");
  check_hdf5(H5Tset_size(type.get(), length + 1), "text type");
  check_hdf5(H5Tset_strpad(type.get(), H5T_STR_NULLTERM), "text type");
  check_hdf5(H5Tset_cset(type.get(), H5T_CSET_UTF8), "text type");
  return type;
}

}  // namespace

void write_fixed_text(hid_t group, std::string const& name, std::string const& text) {
  write_array(group, name, fixed_text_type(text.size()).get(), 1, text.c_str());
}

void write_fixed_text_attribute(hid_t object, std::string const& name, std::string const& text) {
  auto const type = fixed_text_type(text.size());
  Handle const space(H5Screate(H5S_SCALAR), H5Sclose, name);
  Handle const attribute(H5Acreate2(object, name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
                         name);
  check_hdf5(H5Awrite(attribute.get(), type.get(), text.c_str()), name);
}

void write_texts(hid_t group, std::string const& name, std::vector<std::string> const& texts) {
  std::vector<char const*> raw;
  for (auto const& text : texts) raw.push_back(text.c_str());
  write_array(group, name, text_type().get(), raw.size(), raw.data());
}

void write_text_attribute(hid_t object, std::string const& name, std::string const& text) {
  auto const type = text_type();
  Handle const space(H5Screate(H5S_SCALAR), H5Sclose, name);
  Handle const attribute(H5Acreate2(object, name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
                         name);
  char const* raw = text.c_str();
  check_hdf5(H5Awrite(attribute.get(), type.get(), &raw), name);
}

}  // namespace minidad
