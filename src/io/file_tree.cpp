// SPDX-License-Identifier: BSD-3-Clause
#include "io/file_tree.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.hpp"

namespace minidad {

namespace {

constexpr std::size_t stretch = 1 << 16;     // numbers at a time
constexpr std::size_t most_text = 64 << 20;  // bytes
constexpr int deepest = 16;                  // groups in groups

std::vector<std::string> names_of_links(hid_t group) {
  std::vector<std::string> names;
  check_hdf5(H5Literate(
                 group, H5_INDEX_NAME, H5_ITER_INC, nullptr,
                 [](hid_t in, char const* name, H5L_info_t const* info, void* list) -> herr_t {
                   (void)in;
                   if (info->type == H5L_TYPE_HARD) static_cast<std::vector<std::string>*>(list)->emplace_back(name);
                   return 0;
                 },
                 &names),
             "links");
  return names;
}

std::string type_name(hid_t type) {
  auto const bits = 8 * H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_FLOAT: return fmt::format("float{}", bits);
    case H5T_INTEGER: return fmt::format("{}int{}", H5Tget_sign(type) == H5T_SGN_NONE ? "u" : "", bits);
    case H5T_STRING: return "text";
    default: return "other";
  }
}

TreeEntry entry_for(hid_t set, std::string const& path) {
  Handle const type(H5Dget_type(set), H5Tclose, path), space(H5Dget_space(set), H5Sclose, path),
      creation(H5Dget_create_plist(set), H5Pclose, path);
  TreeEntry entry{path, TreeEntry::Kind::other, type_name(type.get()), {}};
  std::vector<hsize_t> sizes(static_cast<std::size_t>(std::max(0, H5Sget_simple_extent_ndims(space.get()))));
  if (!sizes.empty()) check_hdf5(H5Sget_simple_extent_dims(space.get(), sizes.data(), nullptr), path);
  entry.sizes.assign(sizes.begin(), sizes.end());
  bool const elsewhere = H5Pget_external_count(creation.get()) > 0 || H5Pget_layout(creation.get()) == H5D_VIRTUAL;
  auto const bytes = H5Tget_size(type.get());
  bool const number = H5Tget_class(type.get()) == H5T_FLOAT || H5Tget_class(type.get()) == H5T_INTEGER;
  if (elsewhere || bytes == 0) return entry;
  long double values = 1;
  for (auto const size : sizes) values *= static_cast<long double>(size);
  auto const stored = H5Dget_storage_size(set);
  if (number && stored == 0 && values > 0) {
    entry.kind = TreeEntry::Kind::axis;
  } else if (number && bytes <= 8) {
    if (values * static_cast<long double>(bytes) > static_cast<long double>(stored))
      refuse(fmt::format("/{} claims {} values, more than are stored", path, fmt::join(sizes, " x ")));
    entry.kind = TreeEntry::Kind::numbers;
  } else if (entry.type == "text") {
    entry.kind = TreeEntry::Kind::texts;
  }
  return entry;
}

void walk(hid_t group, std::string const& prefix, int depth, std::vector<TreeEntry>& found) {
  if (depth > deepest) refuse(fmt::format("/{} is nested more than {} groups deep: a loop of links?", prefix, deepest));
  for (auto const& name : names_of_links(group)) {
    Handle const object(H5Oopen(group, name.c_str(), H5P_DEFAULT), H5Oclose, prefix + name);
    auto const kind = H5Iget_type(object.get());
    if (kind == H5I_DATASET) found.push_back(entry_for(object.get(), prefix + name));
    if (kind == H5I_GROUP) walk(object.get(), prefix + name + "/", depth + 1, found);
  }
}

}  // namespace

std::vector<TreeEntry> datasets_in(hid_t file) {
  std::vector<TreeEntry> found;
  Handle const root(H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose, "/");
  walk(root.get(), "", 0, found);
  return found;
}

NumberStream::NumberStream(hid_t file, TreeEntry const& entry)
    : path_(entry.path),
      sizes_(entry.sizes.empty() ? std::vector<std::size_t>{1} : entry.sizes),
      scalar_(entry.sizes.empty()),
      empty_(std::count(entry.sizes.begin(), entry.sizes.end(), 0u) > 0),
      set_(open_dataset(file, entry.path)),
      space_(H5Dget_space(set_.get()), H5Sclose, path_),
      tiling_(empty_ ? std::vector<std::size_t>{1} : sizes_, stretch),
      values_(tiling_.chunk_size()) {}

std::span<Number const> NumberStream::next() {
  if (empty_ || at_ == tiling_.chunks()) return {};
  auto const origin = tiling_.origin(at_);
  std::vector<hsize_t> const begin(origin.begin(), origin.end());
  std::vector<hsize_t> size;
  for (std::size_t d = 0; d < sizes_.size(); ++d) size.push_back(std::min(tiling_.chunk()[d], sizes_[d] - origin[d]));
  if (!scalar_)
    check_hdf5(H5Sselect_hyperslab(space_.get(), H5S_SELECT_SET, begin.data(), nullptr, size.data(), nullptr), path_);
  auto const memory = simple_space(size);
  check_hdf5(H5Dread(set_.get(), H5T_NATIVE_LDOUBLE, memory.get(), space_.get(), H5P_DEFAULT, values_.data()), path_);
  return std::span(values_).first(tiling_.stretch(at_++).size);
}

std::vector<std::string> texts_of(hid_t file, TreeEntry const& entry) {
  auto const set = open_dataset(file, entry.path);
  Handle const type(H5Dget_type(set.get()), H5Tclose, entry.path), space(H5Dget_space(set.get()), H5Sclose, entry.path);
  auto const points = H5Sget_simple_extent_npoints(space.get());
  auto const count = static_cast<std::size_t>(std::max<hssize_t>(0, points)), length = H5Tget_size(type.get());
  if (count > most_text / std::max<std::size_t>(1, length))
    refuse(fmt::format("/{} claims {} texts of {} bytes", entry.path, count, length));
  std::vector<std::string> texts;
  if (H5Tis_variable_str(type.get()) > 0) {
    std::vector<char*> raw(count, nullptr);
    check_hdf5(H5Dread(set.get(), text_type().get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, raw.data()), entry.path);
    for (auto const* text : raw) texts.emplace_back(text == nullptr ? "" : text);
    H5Dvlen_reclaim(text_type().get(), space.get(), H5P_DEFAULT, raw.data());
    return texts;
  }
  std::string raw(count * length, '\0');
  check_hdf5(H5Dread(set.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, raw.data()), entry.path);
  for (std::size_t i = 0; i < count; ++i) texts.push_back(until_null(raw.substr(i * length, length)));
  return texts;
}

std::string root_text(hid_t file, std::string const& name) {
  if (H5Aexists(file, name.c_str()) <= 0) return "";
  Handle const attribute(H5Aopen(file, name.c_str(), H5P_DEFAULT), H5Aclose, name);
  Handle const type(H5Aget_type(attribute.get()), H5Tclose, name), space(H5Aget_space(attribute.get()), H5Sclose, name);
  if (H5Tget_class(type.get()) != H5T_STRING || H5Sget_simple_extent_npoints(space.get()) != 1) return "";
  if (H5Tis_variable_str(type.get()) > 0) {
    char* raw = nullptr;
    check_hdf5(H5Aread(attribute.get(), text_type().get(), &raw), name);
    std::string text = raw == nullptr ? "" : raw;
    H5free_memory(raw);
    return text;
  }
  auto const length = H5Tget_size(type.get());
  if (length > most_text) return "";
  std::string text(length, '\0');
  check_hdf5(H5Aread(attribute.get(), type.get(), text.data()), name);
  return until_null(text);
}

}  // namespace minidad
