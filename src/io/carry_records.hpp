// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Inside io/ only: what a run that goes on takes over from the file that it wrote before.

#include <string>

#include "io/hdf5.hpp"
#include "io/records.hpp"

namespace minidad {

/// Copies the first `counts` records of every series of the laid-out file `to` from the file `from`. Where `from` was
/// written by fewer ranks, what they did not measure is 0 for amounts and NaN for the rest.
/// Throws Error(user) where `from` does not hold those records, or other channels, layers or classes.
void carry_records(hid_t from, hid_t to, RecordCounts const& counts);

/// The length of an axis of a run file; 0 when there is none.
std::size_t axis_length_in(hid_t file, std::string const& axis);

/// What stands for a rank that was not there.
double absent_value(std::string const& series);

}  // namespace minidad
