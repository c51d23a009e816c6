// SPDX-License-Identifier: BSD-3-Clause
#include "io/run_file.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <functional>
#include <numeric>

#include "comm/mpi_handle.hpp"
#include "core/error.hpp"
#include "io/carry_records.hpp"
#include "io/hdf5.hpp"
#include "io/publish.hpp"
#include "io/run_layout.hpp"
#include "io/seal.hpp"

namespace minidad {

using schema::Axis;

namespace {

std::size_t index(Axis axis) { return static_cast<std::size_t>(axis); }

Handle open_together(Communicator const& comm, std::string const& path) {
  Handle const access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, path);
  check_hdf5(H5Pset_fapl_mpio(access.get(), mpi_handle(comm), MPI_INFO_NULL), path);
  check_hdf5(H5Pset_all_coll_metadata_ops(access.get(), true), path);
  check_hdf5(H5Pset_coll_metadata_write(access.get(), true), path);
  return {H5Fopen(path.c_str(), H5F_ACC_RDWR, access.get()), H5Fclose, path};
}

Handle collective_transfer() {
  Handle transfer(H5Pcreate(H5P_DATASET_XFER), H5Pclose, "transfer");
  check_hdf5(H5Pset_dxpl_mpio(transfer.get(), H5FD_MPIO_COLLECTIVE), "transfer");
  return transfer;
}

void copy_file(std::string const& from, std::string const& to) {
  std::error_code status;
  std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing, status);
  if (status) throw Error(ExitCode::run_time, fmt::format("{} cannot be copied: {}", from, status.message()));
}

}  // namespace

struct RunFile::Shared {
  Handle file, transfer;
};

RunFile::RunFile(Communicator& comm, RunFileSettings const& settings)
    : comm_(comm),
      path_(settings.path),
      temporary_(path_ + ".tmp"),
      next_(temporary_ + ".next"),
      axis_length_(axis_lengths(settings, comm.size())) {
  prepare_hdf5();
  comm_.agree([&] {
    if (comm_.rank() == 0) prepare(settings);
  });
  // All ranks must know what the file has become.
  comm_.broadcast(std::as_writable_bytes(std::span(written_)));
  auto ranks = axis_length_.of(Axis::rank);
  comm_.broadcast(std::as_writable_bytes(std::span(&ranks, 1)));
  axis_length_.set(Axis::rank, ranks);
}

/// Rank 0.
void RunFile::prepare(RunFileSettings const& settings) {
  namespace fs = std::filesystem;
  std::error_code status;
  auto const& former = settings.former;
  bool const continued = former && is_of(path_, former->id);
  if (!settings.overwrite && !continued && fs::exists(path_, status))
    refuse(fmt::format("output.file = \"{}\" exists; choose another name or set output.overwrite = true", path_));
  auto const folder = fs::absolute(path_).parent_path();
  fs::create_directories(folder, status);
  if (status) refuse(fmt::format("output folder {} cannot be made: {}", folder.string(), status.message()));
  auto const source = former ? former_file(*former) : "";
  try {
    if (!source.empty()) {
      auto const file = open_to_read(source);
      axis_length_.set(Axis::rank, std::max(axis_length_.of(Axis::rank), axis_length_in(file.get(), "rank")));
    }
    lay_out(settings, source);
    if (source.empty()) return;
    auto const& records = former->records;
    for (auto const& [axis, count] :
         {std::pair{Axis::step, records.step}, {Axis::epoch, records.epoch}, {Axis::probe_step, records.probe_step}})
      written_[index(axis)] = axis_length_.has(axis) ? static_cast<std::size_t>(count) : 0;
  } catch (Error const& error) {
    fs::remove(next_, status);
    if (error.code() == ExitCode::user)
      refuse(fmt::format("{} cannot be continued: {}; choose another output.file", source, error.what()));
    refuse(fmt::format("output.file = \"{}\" cannot be written: {}", path_, error.what()));
  }
}

bool RunFile::is_of(std::string const& path, std::string const& run_id) {
  prepare_hdf5();
  std::error_code status;
  if (!std::filesystem::is_regular_file(path, status)) return false;
  try {
    return read_text(open_to_read(path).get(), "provenance/run_id") == run_id;
  } catch (Error const&) {
    return false;  // unreadable, or of something else
  }
}

/// The file that holds the former run's records; none: it is not there any more.
std::string RunFile::former_file(FormerRun const& former) const {
  for (auto const& candidate : {temporary_, path_})  // the former is there when a finished run had been taken up again
    if (is_of(candidate, former.id)) return candidate;
  std::error_code status;
  bool const other = std::filesystem::exists(temporary_, status);
  if (other) std::filesystem::rename(temporary_, temporary_ + ".set_aside", status);
  fmt::print(stderr, "minidad: no file with the records of this run so far at {}{}: a new one begins here\n", path_,
             other ? " (" + temporary_ + ", which is there, is kept with the suffix .set_aside)" : "");
  return "";
}

void RunFile::lay_out(RunFileSettings const& settings, std::string const& former) const {
  auto file = create_file(next_);
  lay_out_run(file.get(), settings, axis_length_, comm_.size());
  if (!former.empty()) carry_records(open_to_read(former).get(), file.get(), settings.former->records);
  close_file(file, next_);
  publish_file(next_, temporary_);
}

RecordCounts RunFile::written() const {
  auto const count = [&](Axis axis) { return static_cast<std::int64_t>(written_[index(axis)]); };
  return {count(Axis::step), count(Axis::epoch), count(Axis::probe_step)};
}

void RunFile::put(std::string_view series, std::span<double const> values) {
  for (std::size_t which = 0; which < n_series; ++which) {
    if (series != schema::series[which].name) continue;
    pending_[which].insert(pending_[which].end(), values.begin(), values.end());
    return;
  }
  require(false, "RunFile: no such series");
}

void RunFile::append(StepRecord const& record) {
  require(record.bytes_sent.size() == axis_length_.of(Axis::channel) &&
              record.messages.size() == axis_length_.of(Axis::channel),
          "RunFile: traffic channels must be known when the file is made");
  axis_pending_[index(Axis::step)].push_back(record.step);
  put("epoch_of_step", std::array{static_cast<double>(record.epoch)});
  put("loss", std::array{record.loss});
  put("accuracy", std::array{record.accuracy});
  put("learning_rate", std::array{record.learning_rate});
  put("gradient_norm", std::array{record.gradient_norm});
  put("seconds", record.seconds);
  put("bytes_sent", record.bytes_sent);
  put("messages", std::vector<double>(record.messages.begin(), record.messages.end()));
  put("factor_width", record.factor_width);
  put("certified_error", record.certified_error);
}

void RunFile::append(EpochRecord const& record) {
  axis_pending_[index(Axis::epoch)].push_back(record.epoch);
  put("test_loss", std::array{record.test_loss});
  put("test_accuracy", std::array{record.test_accuracy});
  put("training_seconds", std::array{record.training_seconds});
  put("consensus_distance", std::array{record.consensus_distance});
}

void RunFile::append(ProbeRecord const& record) {
  require(axis_length_.has(Axis::probe_step), "RunFile: a probe must be known when the file is made");
  axis_pending_[index(Axis::probe_step)].push_back(record.step);
  put("gradient_spectrum", record.global.gradient_spectrum);
  put("input_spectrum", record.global.input_spectrum);
  put("delta_spectrum", record.global.delta_spectrum);
  put("gradient_measures", record.global.measures);
  put("gradient_angle", record.global.angle);
  put("applied_error", record.applied_error);
  put("gradient_spectrum_local", record.local.gradient_spectrum);
  put("input_spectrum_local", record.local.input_spectrum);
  put("delta_spectrum_local", record.local.delta_spectrum);
  put("gradient_measures_local", record.local.measures);
  put("gradient_angle_local", record.local.angle);
  put("residual_norm_local", record.residual_norm);
  put("class_spectrum", record.class_spectrum);
  put("class_measures", record.class_measures);
}

void RunFile::flush() {
  if (std::all_of(axis_pending_.begin(), axis_pending_.end(), [](auto const& values) { return values.empty(); }))
    return;
  comm_.agree([&] {
    if (comm_.rank() == 0) copy_file(temporary_, next_);
  });
  Shared file{open_together(comm_, next_), collective_transfer()};
  for (auto const axis : schema::time_axes) grow_axis(file, axis);
  for (std::size_t which = 0; which < n_series; ++which) write_series(file, which);
  for (auto const axis : schema::time_axes) {
    written_[index(axis)] += axis_pending_[index(axis)].size();
    axis_pending_[index(axis)].clear();
  }
  file.file.close(next_);
  comm_.agree([&] {
    if (comm_.rank() == 0) publish_file(next_, temporary_);
  });
}

namespace {

/// Collective: extends a dataset and writes `values` into the block (start, size) of it; a rank that has nothing to say
/// takes part with an empty selection.
struct Block {
  std::vector<hsize_t> extent, start, size;
  bool mine;
};
void write_block(hid_t file, hid_t transfer, char const* name, Block const& block, hid_t memory_type,
                 void const* values) {
  auto const set = open_dataset(file, name);
  check_hdf5(H5Dset_extent(set.get(), block.extent.data()), name);
  Handle const target(H5Dget_space(set.get()), H5Sclose, name);
  auto const memory = simple_space(block.size);
  if (block.mine) {
    check_hdf5(
        H5Sselect_hyperslab(target.get(), H5S_SELECT_SET, block.start.data(), nullptr, block.size.data(), nullptr),
        name);
  } else {
    check_hdf5(H5Sselect_none(target.get()), name);
    check_hdf5(H5Sselect_none(memory.get()), name);
  }
  check_hdf5(H5Dwrite(set.get(), memory_type, memory.get(), target.get(), transfer, values), name);
}

}  // namespace

void RunFile::grow_axis(Shared const& file, Axis axis) {
  auto const& values = axis_pending_[index(axis)];
  if (values.empty()) return;
  hsize_t const before = written_[index(axis)], more = values.size();
  write_block(file.file.get(), file.transfer.get(), name_of(axis),
              {.extent = {before + more}, .start = {before}, .size = {more}, .mine = comm_.rank() == 0},
              H5T_NATIVE_INT64, values.data());
}

void RunFile::write_series(Shared const& file, std::size_t which) {
  auto const& series = schema::series[which];
  auto& values = pending_[which];
  auto const time = index(series.axis[0]);
  hsize_t const before = written_[time], more = axis_pending_[time].size();
  if (more == 0 || !axis_length_.has(series)) return;
  bool const per_rank = is_per_rank(series);
  Block block{.extent = {before + more}, .start = {before}, .size = {more}, .mine = per_rank || comm_.rank() == 0};
  for (auto const axis : axes_of(series).subspan(1)) {
    hsize_t const length = axis_length_.of(axis);
    bool const own = per_rank && axis == Axis::rank;
    block.extent.push_back(length);
    block.start.push_back(own ? static_cast<hsize_t>(comm_.rank()) : 0);
    block.size.push_back(own ? 1 : length);
  }
  require(values.size() == std::accumulate(block.size.begin(), block.size.end(), hsize_t{1}, std::multiplies<>()),
          "RunFile: a record does not fit");
  write_block(file.file.get(), file.transfer.get(), series.name, block, H5T_NATIVE_DOUBLE, values.data());
  values.clear();
}

void RunFile::finish(TrainingSummary const& summary) {
  flush();
  comm_.agree([&] {
    if (comm_.rank() != 0) return;
    copy_file(temporary_, next_);
    auto file = open_file(next_);
    complete_run(file.get(), summary);
    close_file(file, next_);
    seal_file(next_);
    publish_file(next_, path_);
    std::error_code status;  // a leftover does no harm
    std::filesystem::remove(temporary_, status);
  });
}

std::string utc_now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

std::string hdf5_version() {
  unsigned major = 0, minor = 0, release = 0;
  check_hdf5(H5get_libversion(&major, &minor, &release), "version");
  return fmt::format("{}.{}.{}", major, minor, release);
}

}  // namespace minidad
