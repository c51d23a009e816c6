// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Inside io/ only: what is in an HDF5 file of which nothing is known.

#include <span>
#include <string>
#include <vector>

#include "io/hdf5.hpp"
#include "io/tiling.hpp"

namespace minidad {

/// A dataset that can be looked at: in the file itself, reached over ordinary links.
struct TreeEntry {
  enum class Kind { numbers, texts, axis, other };  ///< axis: has a length but no values
  std::string path;                                 ///< from the root, without a slash before it
  Kind kind;
  std::string type;  ///< "float32", "int64", "text", ...
  std::vector<std::size_t> sizes;
};

/// All datasets, by name; links that lead elsewhere are passed over. Throws Error(user) for a dataset that claims more
/// values than are stored, and for groups that are nested as deeply as only a loop of links is.
std::vector<TreeEntry> datasets_in(hid_t file);

/// Every integer and floating-point number of up to 64 bits is exact in it.
using Number = long double;

/// The numbers of an entry, in order and in stretches of bounded length; those of two entries of the same sizes are cut
/// alike.
class NumberStream {
 public:
  NumberStream(hid_t file, TreeEntry const& entry);
  /// The next stretch, valid until the next call; empty at the end.
  std::span<Number const> next();

 private:
  std::string path_;
  std::vector<std::size_t> sizes_;
  bool scalar_, empty_;
  Handle set_, space_;
  Tiling tiling_;
  std::size_t at_ = 0;
  std::vector<Number> values_;
};

/// The texts of an entry; Error(user) for more than 64 MiB of them.
std::vector<std::string> texts_of(hid_t file, TreeEntry const& entry);

/// A text attribute of the root group; empty when there is none.
std::string root_text(hid_t file, std::string const& name);

}  // namespace minidad
