// SPDX-License-Identifier: BSD-3-Clause
#include "io/run_file.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <hdf5_hl.h>

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
#include "io/seal.hpp"

namespace minidad {

using schema::Axis;
using schema::Type;

namespace {

std::size_t index(Axis axis) { return static_cast<std::size_t>(axis); }
char const* axis_name(Axis axis) { return schema::axis_names[index(axis)]; }
hid_t file_type(Type type) { return type == Type::integer ? H5T_STD_I64LE : H5T_IEEE_F64LE; }

/// Chunks of at most 1 MiB, of whole records.
hsize_t records_per_chunk(std::vector<hsize_t> const& size) {
  hsize_t record = 8;
  for (std::size_t d = 1; d < size.size(); ++d) record *= size[d];
  return std::clamp<hsize_t>((1 << 20) / record, 1, 1024);
}

/// An empty dataset that grows along its first axis. `filled`: not every element will be written.
Handle create_growing(hid_t file, char const* name, hid_t type, std::vector<hsize_t> size, bool filled = false) {
  size[0] = 0;
  auto max = size, chunk = size;
  max[0] = H5S_UNLIMITED;
  chunk[0] = records_per_chunk(size);
  auto const space = simple_space(size, max);
  Handle const creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, name);
  check_hdf5(H5Pset_chunk(creation.get(), static_cast<int>(chunk.size()), chunk.data()), name);
  // Ranks write together only into chunks that exist; created by one process, a dataset would leave that for later.
  check_hdf5(H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY), name);
  check_hdf5(H5Pset_fill_time(creation.get(), filled ? H5D_FILL_TIME_ALLOC : H5D_FILL_TIME_NEVER), name);
  double const absent = absent_value(name);
  if (filled) check_hdf5(H5Pset_fill_value(creation.get(), H5T_NATIVE_DOUBLE, &absent), name);
  return {H5Dcreate2(file, name, type, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT), H5Dclose, name};
}

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

void create_complete_flag(hid_t file) {
  std::int32_t const incomplete = 0;
  Handle const space(H5Screate(H5S_SCALAR), H5Sclose, "complete");
  Handle const flag(H5Acreate2(file, "complete", H5T_STD_I32LE, space.get(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
                    "complete");
  check_hdf5(H5Awrite(flag.get(), H5T_NATIVE_INT32, &incomplete), "complete");
}

void copy_file(std::string const& from, std::string const& to) {
  std::error_code status;
  std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing, status);
  if (status) throw Error(ExitCode::run_time, fmt::format("{} cannot be copied: {}", from, status.message()));
}

std::span<Axis const> axes_of(schema::Series const& series) {
  return {series.axis.data(), static_cast<std::size_t>(series.axes)};
}
bool is_per_rank(schema::Series const& series) { return series.axes > 1 && series.axis[1] == Axis::rank; }

void create_axis(hid_t file, Axis axis, std::size_t length, std::vector<Channel> const& channels) {
  auto const* name = axis_name(axis);
  std::vector<std::string> texts;
  switch (axis) {
    case Axis::step:
    case Axis::epoch:
    case Axis::probe_step: create_growing(file, name, H5T_STD_I64LE, {0}); break;
    case Axis::phase: texts = {phase_names.begin(), phase_names.end()}; break;
    case Axis::measure: texts = {measure_names.begin(), measure_names.end()}; break;
    case Axis::channel:
      for (auto const& [part, collective] : channels) texts.push_back(part + " " + collective);
      break;
    case Axis::layer:
      for (std::size_t l = 0; l < length; ++l) texts.push_back(fmt::format("layer{}", l));
      break;
    case Axis::rank:
    case Axis::value:
    case Axis::label: {
      std::vector<std::int64_t> count(length);
      std::iota(count.begin(), count.end(), 0);
      write_array(file, name, H5T_NATIVE_INT64, count.size(), count.data());
    }
  }
  if (!texts.empty()) write_texts(file, name, texts);
  check_hdf5(H5DSset_scale(open_dataset(file, name).get(), name), name);
}

void create_series(hid_t file, schema::Series const& series, std::span<std::optional<std::size_t> const> axis_length,
                   bool ranks_missing) {
  std::vector<hsize_t> size;
  for (auto const axis : axes_of(series)) size.push_back(*axis_length[index(axis)]);
  auto const set =
      create_growing(file, series.name, file_type(series.type), size, ranks_missing && is_per_rank(series));
  write_text_attribute(set.get(), "units", series.unit);
  write_text_attribute(set.get(), "long_name", series.meaning);
  for (unsigned d = 0; d < size.size(); ++d) {
    auto const scale = open_dataset(file, axis_name(series.axis[d]));
    check_hdf5(H5DSattach_scale(set.get(), scale.get(), d), series.name);
  }
}

void write_summary(hid_t file, TrainingSummary const& summary) {
  Handle const group(H5Gopen2(file, "summary", H5P_DEFAULT), H5Gclose, "summary");
  for (auto const& [name, value] : {std::pair{"samples_per_second", summary.samples_per_second},
                                    {"training_seconds", summary.training_seconds},
                                    {"bytes_per_step", summary.bytes_per_step},
                                    {"test_loss", summary.test_loss},
                                    {"test_accuracy", summary.test_accuracy}})
    write_scalar(group.get(), name, H5T_NATIVE_DOUBLE, &value);
  for (auto const& [name, value] :
       {std::pair{"steps", summary.steps}, {"parameters", summary.parameters}, {"peak_memory", summary.peak_memory}})
    write_scalar(group.get(), name, H5T_NATIVE_INT64, &value);
  write_scalar(group.get(), "parameter_digest", H5T_NATIVE_UINT64, &summary.parameter_digest);
}

void write_split(hid_t file, std::vector<std::int64_t> const& class_counts, hsize_t ranks) {
  if (class_counts.empty()) return;
  Handle const group(H5Gcreate2(file, "split", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose, "split");
  auto const space = simple_space({ranks, class_counts.size() / ranks});
  Handle const set(
      H5Dcreate2(group.get(), "class_counts", H5T_STD_I64LE, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
      H5Dclose, "class_counts");
  check_hdf5(H5Dwrite(set.get(), H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, class_counts.data()), "class_counts");
  write_text_attribute(set.get(), "long_name", "training samples of each class that each rank keeps");
}

void mark_complete(hid_t file) {
  Handle const origin(H5Gopen2(file, "provenance", H5P_DEFAULT), H5Gclose, "provenance");
  write_text(origin.get(), "end", utc_now());
  std::int32_t const complete = 1;
  Handle const flag(H5Aopen(file, "complete", H5P_DEFAULT), H5Aclose, "complete");
  check_hdf5(H5Awrite(flag.get(), H5T_NATIVE_INT32, &complete), "complete");
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
      channels_(settings.channels) {
  auto const length = [&](Axis axis) -> auto& { return axis_length_[index(axis)]; };
  length(Axis::step) = length(Axis::epoch) = 0;
  length(Axis::rank) = static_cast<std::size_t>(comm.size());
  length(Axis::phase) = phase_names.size();
  length(Axis::channel) = channels_.size();
  length(Axis::layer) = settings.shape.layers;
  if (settings.shape.probe) {
    length(Axis::probe_step) = 0;
    length(Axis::value) = probed_values;
    length(Axis::measure) = measure_names.size();
    if (settings.shape.classes > 0) length(Axis::label) = settings.shape.classes;
  }
  prepare_hdf5();
  comm_.agree([&] {
    if (comm_.rank() == 0) prepare(settings);
  });
  // All ranks must know what the file has become.
  comm_.broadcast(std::as_writable_bytes(std::span(written_)));
  comm_.broadcast(std::as_writable_bytes(std::span(&*length(Axis::rank), 1)));
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
      auto& ranks = axis_length_[index(Axis::rank)];
      ranks = std::max(*ranks, axis_length_in(file.get(), "rank"));
    }
    lay_out(settings, source);
    if (source.empty()) return;
    auto const& records = former->records;
    for (auto const& [axis, count] :
         {std::pair{Axis::step, records.step}, {Axis::epoch, records.epoch}, {Axis::probe_step, records.probe_step}})
      written_[index(axis)] = has(axis) ? static_cast<std::size_t>(count) : 0;
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
  write_text_attribute(file.get(), "schema_name", schema::name);
  write_text_attribute(file.get(), "schema_version", schema::version);
  create_complete_flag(file.get());
  {
    Handle const origin(H5Gcreate2(file.get(), "provenance", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose,
                        "provenance");
    for (auto const& [name, text] : settings.provenance) write_text(origin.get(), name, text);
    Handle const summary(H5Gcreate2(file.get(), "summary", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose, "summary");
  }
  write_split(file.get(), settings.class_counts, static_cast<hsize_t>(comm_.size()));
  for (std::size_t axis = 0; axis < axis_length_.size(); ++axis)
    if (axis_length_[axis]) create_axis(file.get(), static_cast<Axis>(axis), *axis_length_[axis], channels_);
  bool const ranks_missing = *axis_length_[index(Axis::rank)] > static_cast<std::size_t>(comm_.size());
  for (auto const& series : schema::series)
    if (has(series)) create_series(file.get(), series, axis_length_, ranks_missing);
  if (!former.empty()) carry_records(open_to_read(former).get(), file.get(), settings.former->records);
  close_file(file, next_);
  publish_file(next_, temporary_);
}

RecordCounts RunFile::written() const {
  auto const count = [&](Axis axis) { return static_cast<std::int64_t>(written_[index(axis)]); };
  return {count(Axis::step), count(Axis::epoch), count(Axis::probe_step)};
}

bool RunFile::has(schema::Series const& series) const {
  auto const axes = axes_of(series);
  return std::all_of(axes.begin(), axes.end(), [&](Axis axis) { return has(axis); });
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
  require(record.bytes_sent.size() == channels_.size() && record.messages.size() == channels_.size(),
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
  require(has(Axis::probe_step), "RunFile: a probe must be known when the file is made");
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
  write_block(file.file.get(), file.transfer.get(), axis_name(axis),
              {.extent = {before + more}, .start = {before}, .size = {more}, .mine = comm_.rank() == 0},
              H5T_NATIVE_INT64, values.data());
}

void RunFile::write_series(Shared const& file, std::size_t which) {
  auto const& series = schema::series[which];
  auto& values = pending_[which];
  auto const time = index(series.axis[0]);
  hsize_t const before = written_[time], more = axis_pending_[time].size();
  if (more == 0 || !has(series)) return;
  bool const per_rank = is_per_rank(series);
  Block block{.extent = {before + more}, .start = {before}, .size = {more}, .mine = per_rank || comm_.rank() == 0};
  for (auto const axis : axes_of(series).subspan(1)) {
    hsize_t const length = *axis_length_[index(axis)];
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
    write_summary(file.get(), summary);
    mark_complete(file.get());
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
