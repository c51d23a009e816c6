// SPDX-License-Identifier: BSD-3-Clause
#include "io/run_layout.hpp"

#include <fmt/format.h>
#include <hdf5_hl.h>

#include <algorithm>
#include <numeric>

#include "io/carry_records.hpp"

namespace minidad {

using schema::Axis;
using schema::Type;

namespace {

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

void create_complete_flag(hid_t file) {
  std::int32_t const incomplete = 0;
  Handle const space(H5Screate(H5S_SCALAR), H5Sclose, "complete");
  Handle const flag(H5Acreate2(file, "complete", H5T_STD_I32LE, space.get(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
                    "complete");
  check_hdf5(H5Awrite(flag.get(), H5T_NATIVE_INT32, &incomplete), "complete");
}

void create_axis(hid_t file, Axis axis, std::size_t length, std::vector<Channel> const& channels) {
  auto const* name = name_of(axis);
  std::vector<std::string> texts;
  switch (axis) {
    case Axis::step:
    case Axis::epoch:
    case Axis::probe_step: create_growing(file, name, H5T_STD_I64LE, {0}); break;
    case Axis::phase: texts = {phase_names.begin(), phase_names.end()}; break;
    case Axis::measure: texts = {measure_names.begin(), measure_names.end()}; break;
    case Axis::channel:
      for (auto const& [part, collective] : channels) texts.push_back(fmt::format("{} {}", part, collective));
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

void create_series(hid_t file, schema::Series const& series, AxisLengths const& axis_length, bool ranks_missing) {
  std::vector<hsize_t> size;
  for (auto const axis : axes_of(series)) size.push_back(axis_length.of(axis));
  auto const set =
      create_growing(file, series.name, file_type(series.type), size, ranks_missing && is_per_rank(series));
  write_text_attribute(set.get(), "units", series.unit);
  write_text_attribute(set.get(), "long_name", series.meaning);
  for (unsigned d = 0; d < size.size(); ++d) {
    auto const scale = open_dataset(file, name_of(series.axis[d]));
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

AxisLengths axis_lengths(RunFileSettings const& settings, int ranks) {
  AxisLengths lengths;
  lengths.set(Axis::step, 0);
  lengths.set(Axis::epoch, 0);
  lengths.set(Axis::rank, static_cast<std::size_t>(ranks));
  lengths.set(Axis::phase, phase_names.size());
  lengths.set(Axis::channel, settings.channels.size());
  lengths.set(Axis::layer, settings.shape.layers);
  if (!settings.shape.probe) return lengths;
  lengths.set(Axis::probe_step, 0);
  lengths.set(Axis::value, probed_values);
  lengths.set(Axis::measure, measure_names.size());
  if (settings.shape.classes > 0) lengths.set(Axis::label, settings.shape.classes);
  return lengths;
}

void lay_out_run(hid_t file, RunFileSettings const& settings, AxisLengths const& lengths, int ranks) {
  write_text_attribute(file, "schema_name", schema::name);
  write_text_attribute(file, "schema_version", schema::version);
  create_complete_flag(file);
  {
    Handle const origin(H5Gcreate2(file, "provenance", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose, "provenance");
    for (auto const& [name, text] : settings.provenance) write_text(origin.get(), name, text);
    Handle const summary(H5Gcreate2(file, "summary", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose, "summary");
  }
  write_split(file, settings.class_counts, static_cast<hsize_t>(ranks));
  for (std::size_t a = 0; a < schema::axis_names.size(); ++a)
    if (auto const axis = static_cast<Axis>(a); lengths.has(axis))
      create_axis(file, axis, lengths.of(axis), settings.channels);
  bool const ranks_missing = lengths.of(Axis::rank) > static_cast<std::size_t>(ranks);
  for (auto const& series : schema::series)
    if (lengths.has(series)) create_series(file, series, lengths, ranks_missing);
}

void complete_run(hid_t file, TrainingSummary const& summary) {
  write_summary(file, summary);
  mark_complete(file);
}

}  // namespace minidad
