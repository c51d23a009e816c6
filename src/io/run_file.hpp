// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "comm/communicator.hpp"
#include "io/axis_lengths.hpp"
#include "io/records.hpp"
#include "io/schema.hpp"

namespace minidad {

/// A run that goes on where an earlier one has stopped.
struct FormerRun {
  std::string id;        ///< of the run: its file says the same
  RecordCounts records;  ///< that belong to what has been done; later ones will be made again
};

/// What a run file is to be.
struct RunFileSettings {
  std::string path;
  bool overwrite = false;  ///< an existing file
  Provenance provenance;   ///< with "run_id"
  std::vector<Channel> channels;
  RecordShape shape;
  std::optional<FormerRun> former;
  std::vector<std::int64_t> class_counts{};  ///< (ranks, classes), or none
};

/// The HDF5 file of a run, see schema.hpp. While the run goes on it is called `path`.tmp; it gets its name when it is
/// complete. What is written goes to a copy that then takes the place of the file, so there is a whole file at any
/// time, also for those who read it, and after a kill. Rank 0 lays it out alone; what ranks measure themselves is
/// written by all of them together.
class RunFile {
 public:
  /// Collective. Refuses (AgreedError, user) a path that exists, unless `overwrite` or it is of the former run, and one
  /// that cannot be written. With a former run its records are taken over; where they are not there any more, that is
  /// said, and the file begins now.
  RunFile(Communicator& comm, RunFileSettings const& settings);

  void append(StepRecord const& record);
  void append(EpochRecord const& record);
  void append(ProbeRecord const& record);
  /// Collective. Writes what was appended since.
  void flush();
  RecordCounts written() const;  ///< as of the last flush
  /// Collective. Flushes, writes the summary, marks the file complete, seals it and gives it its name.
  void finish(TrainingSummary const& summary);

  std::string const& path() const { return path_; }
  static bool is_of(std::string const& path, std::string const& run_id);  ///< whether there is a file of that run

 private:
  static constexpr std::size_t n_series = std::size(schema::series), n_times = schema::time_axes.size();
  void prepare(RunFileSettings const& settings);
  std::string former_file(FormerRun const& former) const;
  void lay_out(RunFileSettings const& settings, std::string const& former) const;
  struct Shared;  // the file while all ranks have it open
  void put(std::string_view series, std::span<double const> values);
  void grow_axis(Shared const& file, schema::Axis axis);
  void write_series(Shared const& file, std::size_t which);

  Communicator& comm_;
  std::string path_, temporary_, next_;  // next_: what is being written, and then becomes the temporary file
  AxisLengths axis_length_;
  std::array<std::size_t, n_times> written_{};                   // records in the file along the axes that grow
  std::array<std::vector<std::int64_t>, n_times> axis_pending_;  // values of those axes to come
  std::array<std::vector<double>, n_series> pending_;            // integers are exact in double up to 2^53
};

/// UTC now, ISO 8601.
std::string utc_now();

/// HDF5's version.
std::string hdf5_version();

}  // namespace minidad
