// SPDX-License-Identifier: BSD-3-Clause
#include "io/carry_records.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "core/error.hpp"
#include "io/schema.hpp"

namespace minidad {

using schema::Axis;

namespace {

std::vector<hsize_t> sizes_of(hid_t set, std::string const& name) {
  Handle const space(H5Dget_space(set), H5Sclose, name);
  std::vector<hsize_t> sizes(static_cast<std::size_t>(std::max(0, H5Sget_simple_extent_ndims(space.get()))));
  check_hdf5(H5Sget_simple_extent_dims(space.get(), sizes.data(), nullptr), name);
  return sizes;
}

bool has(hid_t file, std::string const& name) { return H5Lexists(file, name.c_str(), H5P_DEFAULT) > 0; }

std::int64_t records_along(Axis axis, RecordCounts const& counts) {
  return axis == Axis::step ? counts.step : axis == Axis::epoch ? counts.epoch : counts.probe_step;
}

std::vector<std::string> texts_in(hid_t file, std::string const& name) {
  auto const set = open_dataset(file, name);
  auto const size = sizes_of(set.get(), name);
  auto const type = text_type();
  std::vector<char*> raw(size.empty() ? 0 : size[0]);
  check_hdf5(H5Dread(set.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, raw.data()), name);
  std::vector<std::string> texts(raw.begin(), raw.end());
  Handle const space(H5Dget_space(set.get()), H5Sclose, name);
  H5Dvlen_reclaim(type.get(), space.get(), H5P_DEFAULT, raw.data());
  return texts;
}

/// A block at the origin of a dataset.
void transfer_block(hid_t set, std::string const& name, std::vector<hsize_t> const& size, hid_t type, void* data,
                    bool write) {
  Handle const space(H5Dget_space(set), H5Sclose, name);
  std::vector<hsize_t> const origin(size.size(), 0);
  check_hdf5(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, origin.data(), nullptr, size.data(), nullptr), name);
  auto const memory = simple_space(size);
  check_hdf5(write ? H5Dwrite(set, type, memory.get(), space.get(), H5P_DEFAULT, data)
                   : H5Dread(set, type, memory.get(), space.get(), H5P_DEFAULT, data),
             name);
}

template <class T>
void carry_series(hid_t from, hid_t to, std::string const& name, hid_t type, hsize_t records) {
  auto const source = open_dataset(from, name), target = open_dataset(to, name);
  auto old_size = sizes_of(source.get(), name), new_size = sizes_of(target.get(), name);
  if (old_size.size() != new_size.size() || old_size[0] < records)
    refuse(fmt::format("it has not the {} records of '{}' that are to be continued", records, name));
  old_size[0] = new_size[0] = records;
  check_hdf5(H5Dset_extent(target.get(), new_size.data()), name);
  if (records == 0) return;
  std::size_t old_count = 1;
  for (auto const size : old_size) old_count *= size;
  std::vector<T> values(old_count);
  transfer_block(source.get(), name, old_size, type, values.data(), false);
  // Only the number of ranks may differ, and it is the second axis; the rest is one stretch.
  std::size_t rest = 1;
  for (std::size_t d = 2; d < old_size.size(); ++d) {
    if (old_size[d] != new_size[d]) refuse(fmt::format("its '{}' has other axes than this run", name));
    rest *= old_size[d];
  }
  if (old_size.size() > 1 && old_size[1] != new_size[1]) {
    auto const now = new_size[1], former = old_size[1];
    if (former > now) refuse(fmt::format("its '{}' has other axes than this run", name));
    std::vector<T> wider(records * now * rest, static_cast<T>(absent_value(name)));
    for (std::size_t r = 0; r < records; ++r)
      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(r * former * rest), former * rest,
                  wider.begin() + static_cast<std::ptrdiff_t>(r * now * rest));
    values = std::move(wider);
  }
  transfer_block(target.get(), name, new_size, type, values.data(), true);
}

/// A series that the former file, of an earlier version, does not have.
void leave_absent(hid_t to, std::string const& name, hsize_t records) {
  auto const target = open_dataset(to, name);
  auto size = sizes_of(target.get(), name);
  size[0] = records;
  check_hdf5(H5Dset_extent(target.get(), size.data()), name);
  std::size_t count = 1;
  for (auto const length : size) count *= length;
  std::vector<double> values(count, absent_value(name));
  if (count > 0) transfer_block(target.get(), name, size, H5T_NATIVE_DOUBLE, values.data(), true);
}

}  // namespace

double absent_value(std::string const& series) {
  bool const amount = series == "seconds" || series == "bytes_sent" || series == "messages";
  return amount ? 0 : std::numeric_limits<double>::quiet_NaN();
}

std::size_t axis_length_in(hid_t file, std::string const& axis) {
  if (!has(file, axis)) return 0;
  auto const size = sizes_of(open_dataset(file, axis).get(), axis);
  return size.size() == 1 ? static_cast<std::size_t>(size[0]) : 0;
}

void carry_records(hid_t from, hid_t to, RecordCounts const& counts) {
  for (auto const* axis : {"channel", "layer", "class"})
    if (has(from, axis) != has(to, axis) || axis_length_in(from, axis) != axis_length_in(to, axis))
      refuse(fmt::format("its axis '{}' is another", axis));
  if (texts_in(from, "channel") != texts_in(to, "channel"))
    refuse("it has other traffic channels: its exchange was another");
  for (auto const axis : schema::time_axes) {
    auto const* const name = schema::axis_names[static_cast<std::size_t>(axis)];
    if (has(from, name) && has(to, name))
      carry_series<std::int64_t>(from, to, name, H5T_NATIVE_INT64, static_cast<hsize_t>(records_along(axis, counts)));
  }
  for (auto const& series : schema::series) {
    if (!has(to, series.name)) continue;
    auto const records = static_cast<hsize_t>(records_along(series.axis[0], counts));
    if (!has(from, series.name))
      leave_absent(to, series.name, records);
    else if (series.type == schema::Type::integer)
      carry_series<std::int64_t>(from, to, series.name, H5T_NATIVE_INT64, records);
    else
      carry_series<double>(from, to, series.name, H5T_NATIVE_DOUBLE, records);
  }
}

}  // namespace minidad
