// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Inside io/ only: HDF5's way to the files that one process writes.

#include <hdf5.h>

#include <string>

namespace minidad {

enum class RawData {
  written,
  left_out  ///< by this process: the file is laid out in no time, and its chunks are written by those who have them.
            ///< HDF5 alone writes every chunk of a filtered dataset that it allocates.
};

/// Makes files opened with this access list remember a failure to write (a full disk) rather than tell HDF5, which cannot
/// close a file that it cannot write to, and crashes at its end. Ask expect_written() after closing.
void use_file_driver(hid_t access, RawData raw_data);

/// Throws Error(run_time) when anything could not be written since the last call.
void expect_written(std::string const& path);

}  // namespace minidad
