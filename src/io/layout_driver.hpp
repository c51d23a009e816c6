// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Inside io/ only.

#include "io/hdf5.hpp"

namespace minidad {

/// Makes a file access list write all of a file but the raw data of its datasets: a file is laid out by one process, in
/// no time, and its chunks are written by those who have them. HDF5 alone would write every chunk of a filtered dataset
/// that it allocates.
void leave_out_raw_data(hid_t access);

}  // namespace minidad
