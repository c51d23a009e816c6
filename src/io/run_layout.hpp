// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Inside io/ only: what a run file has before its first record, and after its last.

#include "io/axis_lengths.hpp"
#include "io/hdf5.hpp"
#include "io/run_file.hpp"

namespace minidad {

AxisLengths axis_lengths(RunFileSettings const& settings, int ranks);

/// Writes everything but records into an empty file: see schema.hpp. `ranks` of now; the rank axis may be longer.
void lay_out_run(hid_t file, RunFileSettings const& settings, AxisLengths const& lengths, int ranks);

/// The summary, and that the run has ended well.
void complete_run(hid_t file, TrainingSummary const& summary);

}  // namespace minidad
