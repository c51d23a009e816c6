// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Inside io/ only: HDF5 identifiers that close themselves and errors that become exceptions.

#include <hdf5.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/file_driver.hpp"

namespace minidad {

/// Owns one HDF5 identifier; refuses to exist without one, with HDF5's own words.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle(hid_t id, Close close, std::string_view what);
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Handle(Handle const&) = delete;
  Handle& operator=(Handle const&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  hid_t get() const { return id_; }
  /// Closes now, and complains if that fails: the last data may only be written here.
  void close(std::string_view what);

 private:
  hid_t id_;
  Close close_;
};

/// Throws Error(run_time) with `what` and HDF5's own words when `status` is negative.
void check_hdf5(herr_t status, std::string_view what);

/// Once per process: no printing of error stacks, no closing behind our back at exit.
void prepare_hdf5();

Handle create_file(std::string const& path,
                   RawData raw_data = RawData::written);  // serial, truncates; leaves room for a seal
/// Closes a file that was written; throws Error(run_time) when something could not be.
void close_file(Handle& file, std::string const& path);
Handle open_file(std::string const& path);     // serial, read and write
Handle open_to_read(std::string const& path);  // serial
Handle open_dataset(hid_t file, std::string const& name);
/// Up to the first null byte.
inline std::string until_null(std::string const& text) { return text.substr(0, text.find('\0')); }

Handle simple_space(std::vector<hsize_t> const& size, std::vector<hsize_t> const& max = {});
Handle text_type();

std::string read_text(hid_t group, std::string const& name);  // as write_text has written it
void write_text(hid_t group, std::string const& name, std::string const& text);
void write_fixed_text(hid_t group, std::string const& name,
                      std::string const& text);  // (1), of fixed length: what netCDF reads
void write_texts(hid_t group, std::string const& name, std::vector<std::string> const& texts);
void write_array(hid_t group, std::string const& name, hid_t memory_type, hsize_t size, void const* values);
void write_scalar(hid_t group, std::string const& name, hid_t memory_type, void const* value);
void write_fixed_text_attribute(hid_t object, std::string const& name, std::string const& text);
void write_text_attribute(hid_t object, std::string const& name, std::string const& text);

}  // namespace minidad
