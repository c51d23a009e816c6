// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

namespace minidad {

/// What a run file or checkpoint holds, in lines: where it comes from, whether it is complete, and each dataset with its
/// type, sizes and range. Also of files that are not complete. Throws Error(user) for what is no HDF5 file.
std::string describe_file(std::string const& path);

struct CompareSettings {
  double tolerance = 0;     ///< |a - b| <= tolerance max(|a|, |b|) is the same; a NaN is the same as a NaN
  bool everything = false;  ///< also where the files come from (/provenance), and times
};
/// One line for each dataset that only one file has, or that differs. Throws Error(user) as describe_file.
std::vector<std::string> compare_files(std::string const& a, std::string const& b, CompareSettings const& settings);

}  // namespace minidad
