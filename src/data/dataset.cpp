// SPDX-License-Identifier: BSD-3-Clause
#include "data/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/kokkos_compat.hpp"
#include "data/sources/sample_source.hpp"
#include "data/synthetic.hpp"

namespace minidad {

namespace {

SourcePtr open_source(DataSettings const& settings, Subset subset) {
  auto const& name = settings.source;
  if (name == "cifar10" || name == "cifar100") return open_cifar(settings, subset);
  if (name == "npy") return open_npy(settings, subset);
  if (name == "csv") return open_csv(settings, subset);
  if (name == "hdf5") return open_hdf5(settings, subset);
  if (name == "ts") return open_ts(settings, subset);
  if (name == "text") return open_text(settings, subset);
  return open_idx(settings, subset);
}

std::size_t limited(DataSettings const& settings, Subset subset, std::size_t samples) {
  auto const limit = static_cast<std::size_t>(settings.train_limit);
  return subset == Subset::train && limit > 0 ? std::min(limit, samples) : samples;
}

/// What no single setting can tell.
void expect_sense(DataSettings const& settings, DatasetSize const& size) {
  bool const image = size.shape.width > 1;
  if ((settings.shift > 0 || settings.flip) && !image)
    refuse(fmt::format("data.shift and data.flip move pixels of images, but data.source = \"{}\" has none here",
                       settings.source));
  if (settings.standardise && (settings.source == "synthetic" || settings.source == "text"))
    refuse(fmt::format("data.standardise does not go with data.source = \"{}\"", settings.source));
  if (settings.split != "iid" && size.labels > 1)
    refuse(fmt::format("data.split = \"{}\" needs one label a sample; data.source = \"{}\" has {}", settings.split,
                       settings.source, size.labels));
}

enum class Look { at_all, at_labels };

/// f(sample, its number) for all samples of a source, past data.train_limit as well: damage there is damage too.
template <class F>
void for_each_sample(SampleSource& source, Look look, F const& f) {
  auto const& size = source.size();
  Sample sample{.bytes = std::vector<std::uint8_t>(source.bytes() ? size.shape.size() : 0),
                .numbers = std::vector<Real>(source.bytes() ? 0 : size.shape.size()),
                .label = std::vector<std::int64_t>(size.labels)};
  for (std::size_t i = 0; i < size.samples; ++i) {
    if (look == Look::at_all)
      source.next(sample);
    else
      source.next_label(sample);
    for (auto const label : sample.label)
      if (label < 0 || label >= static_cast<std::int64_t>(size.classes))
        refuse(fmt::format("{}: label {} of item {} is outside data.classes = {}", source.label_file(), label, i,
                           size.classes));
    for (auto const number : sample.numbers)
      if (!std::isfinite(number)) refuse(fmt::format("{}: item {} has a number that is not finite", source.file(), i));
    f(sample, i);
  }
  source.finish();
}

/// Mean and deviation of each channel over the training samples, in their order (Welford 1962): the same on all ranks.
struct Moments {
  std::vector<double> mean, deviation;
};
Moments moments_of(DataSettings const& settings) {
  auto const source = open_source(settings, Subset::train);
  auto const channels = source->size().shape.channels;
  Moments moments{std::vector<double>(channels, 0), std::vector<double>(channels, 0)};
  double count = 0;
  auto const wanted = limited(settings, Subset::train, source->size().samples);
  for_each_sample(*source, Look::at_all, [&](Sample const& sample, std::size_t i) {
    if (i >= wanted) return;
    auto const size = std::max(sample.bytes.size(), sample.numbers.size());
    for (std::size_t at = 0; at < size; ++at) {
      auto const c = at % channels;
      if (c == 0) ++count;
      double const x = sample.bytes.empty() ? static_cast<double>(sample.numbers[at]) : sample.bytes[at] / 255.0;
      double const before = x - moments.mean[c];
      moments.mean[c] += before / count;
      moments.deviation[c] += before * (x - moments.mean[c]);
    }
  });
  for (auto& deviation : moments.deviation) {
    deviation = std::sqrt(deviation / count);
    if (deviation == 0) deviation = 1;  // a channel that never changes
  }
  return moments;
}

void set_scaling(ExecSpace const& space, DataSettings const& settings, Dataset& dataset) {
  bool const ids = settings.source == "text";
  Moments const moments = ids                    ? Moments{{0}, {1}}
                          : settings.standardise ? moments_of(settings)
                                                 : Moments{{settings.mean}, {settings.deviation}};
  auto const channels = moments.mean.size();
  dataset.gain = Vector("minidad::data::gain", channels);
  dataset.offset = Vector("minidad::data::offset", channels);
  auto const gain = Kokkos::create_mirror_view(dataset.gain), offset = Kokkos::create_mirror_view(dataset.offset);
  for (std::size_t c = 0; c < channels; ++c) {
    double const unit = dataset.numbers.size() == 0 && !ids ? 255 : 1;
    gain(c) = static_cast<Real>(1 / (unit * moments.deviation[c]));
    offset(c) = static_cast<Real>(-moments.mean[c] / moments.deviation[c]);
  }
  Kokkos::deep_copy(space, dataset.gain, gain);
  Kokkos::deep_copy(space, dataset.offset, offset);
  fence(space, "minidad::data::scaling_copied");
}

Dataset read_files(ExecSpace const& space, DataSettings const& settings, Subset subset, Keep const& keep) {
  auto const source = open_source(settings, subset);
  auto const& size = source->size();
  auto const width = size.shape.size(), wanted = limited(settings, subset, size.samples);
  Dataset dataset{.features = ByteMatrix("minidad::data::features", source->bytes() ? keep.count : 0, width),
                  .numbers = Matrix("minidad::data::numbers", source->bytes() ? 0 : keep.count, width),
                  .label = Labels("minidad::data::labels", keep.count * size.labels),
                  .shape = size.shape,
                  .labels = size.labels,
                  .gain = {},
                  .offset = {}};
  auto const features = Kokkos::create_mirror_view(dataset.features);
  auto const numbers = Kokkos::create_mirror_view(dataset.numbers);
  auto const label = Kokkos::create_mirror_view(dataset.label);
  for_each_sample(*source, Look::at_all, [&](Sample const& sample, std::size_t i) {
    auto const place = i < wanted ? keep.place(i) : keep.count;
    if (place == keep.count) return;
    std::copy(sample.bytes.begin(), sample.bytes.end(), features.data() + place * width);
    std::copy(sample.numbers.begin(), sample.numbers.end(), numbers.data() + place * width);
    std::copy(sample.label.begin(), sample.label.end(), label.data() + place * size.labels);
  });
  Kokkos::deep_copy(space, dataset.features, features);
  Kokkos::deep_copy(space, dataset.numbers, numbers);
  Kokkos::deep_copy(space, dataset.label, label);
  fence(space, "minidad::data::features_copied");
  return dataset;
}

DatasetSize synthetic_or_file_size(DataSettings const& settings, Subset subset) {
  if (settings.source == "synthetic") return synthetic_size(settings, subset);
  auto const source = open_source(settings, subset);
  auto size = source->size();
  size.sample_bytes = size.shape.size() * (source->bytes() ? 1 : sizeof(Real));
  return size;
}

}  // namespace

DatasetSize dataset_size(DataSettings const& settings, Subset subset) {
  auto size = synthetic_or_file_size(settings, subset);
  expect_sense(settings, size);
  size.samples = limited(settings, subset, size.samples);
  return size;
}

Dataset read_dataset(ExecSpace const& space, DataSettings const& settings, Subset subset, std::uint64_t seed,
                     Keep const& keep) {
  auto dataset = settings.source == "synthetic" ? make_synthetic(space, settings, subset, seed, keep)
                                                : read_files(space, settings, subset, keep);
  set_scaling(space, settings, dataset);
  return dataset;
}

std::vector<std::int32_t> read_labels(ExecSpace const& space, DataSettings const& settings, Subset subset,
                                      std::uint64_t seed) {
  std::vector<std::int32_t> labels;
  if (settings.source == "synthetic") {
    labels = make_synthetic_labels(space, settings, subset, seed);
  } else {
    auto const source = open_source(settings, subset);
    require(source->size().labels == 1, "read_labels: one label a sample");
    for_each_sample(*source, Look::at_labels, [&](Sample const& sample, std::size_t) {
      labels.push_back(static_cast<std::int32_t>(sample.label[0]));
    });
  }
  labels.resize(limited(settings, subset, labels.size()));
  return labels;
}

}  // namespace minidad
