// SPDX-License-Identifier: BSD-3-Clause
#include "data/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/random.hpp"
#include "data/idx_file.hpp"

namespace minidad {

namespace {

std::size_t limited(DataSettings const& settings, Subset subset, std::size_t samples) {
  auto const limit = static_cast<std::size_t>(settings.train_limit);
  return subset == Subset::train && limit > 0 ? std::min(limit, samples) : samples;
}

struct IdxPair {
  IdxFile images, labels;
};

IdxPair open_pair(DataSettings const& settings, Subset subset) {
  bool const train = subset == Subset::train;
  auto const& image_path = train ? settings.train_images : settings.test_images;
  auto const& label_path = train ? settings.train_labels : settings.test_labels;
  IdxPair pair{IdxFile(image_path, 3), IdxFile(label_path, 1)};
  if (pair.images.items() != pair.labels.items())
    refuse(fmt::format("{} holds {} images, but {} holds {} labels", image_path, pair.images.items(), label_path,
                       pair.labels.items()));
  return pair;
}

void expect_class(DataSettings const& settings, Subset subset, std::uint8_t label, std::size_t item) {
  if (label < settings.classes) return;
  refuse(fmt::format("{}: label {} of item {} is outside data.classes = {}",
                     subset == Subset::train ? settings.train_labels : settings.test_labels, label, item,
                     settings.classes));
}

std::vector<std::int32_t> read_idx_labels(DataSettings const& settings, Subset subset) {
  auto labels = open_pair(settings, subset).labels;
  std::vector<std::uint8_t> label(limited(settings, subset, labels.items()));
  labels.read(label);
  for (std::size_t i = 0; i < label.size(); ++i) expect_class(settings, subset, label[i], i);
  return {label.begin(), label.end()};
}

Dataset read_idx(ExecSpace const& space, DataSettings const& settings, Subset subset, Keep const& keep) {
  auto [images, labels] = open_pair(settings, subset);
  auto const items = images.items(), width = images.item_size();
  auto const wanted = limited(settings, subset, items);
  Dataset const dataset{ByteMatrix("minidad::data::features", keep.count, width),
                        Labels("minidad::data::labels", keep.count)};
  auto const features_host = Kokkos::create_mirror_view(dataset.features);
  auto const label_host = Kokkos::create_mirror_view(dataset.label);
  std::vector<std::uint8_t> image(width), label(1);
  for (std::size_t i = 0; i < items; ++i) {  // to the end, even past train_limit: damage there is damage too
    images.read(image);
    labels.read(label);
    expect_class(settings, subset, label[0], i);
    auto const place = i < wanted ? keep.place(i) : keep.count;
    if (place == keep.count) continue;
    std::copy(image.begin(), image.end(), &features_host(place, 0));
    label_host(place) = label[0];
  }
  images.expect_end();
  labels.expect_end();
  Kokkos::deep_copy(space, dataset.features, features_host);
  Kokkos::deep_copy(space, dataset.label, label_host);
  fence(space, "minidad::data::features_copied");
  return dataset;
}

constexpr std::size_t teacher_width = 32;

/// A fixed random network x -> tanh(x U) V whose largest output is the label: something that a network can learn.
/// x(i, j) is uniform in the bytes; U, V are normal, scaled to keep the pre-activations of order one.
struct Teacher {
  Matrix inner;  ///< (width, teacher_width)
  Matrix outer;  ///< (teacher_width, classes)
};

void fill_normal(ExecSpace const& space, std::uint64_t seed, std::uint32_t which, double scale, Matrix const& m) {
  auto const cols = m.extent(1);
  Kokkos::parallel_for(
      "minidad::data::fill_normal", Kokkos::RangePolicy<ExecSpace>(space, 0, m.size()), KOKKOS_LAMBDA(std::size_t i) {
        Words4 const words = philox(seed, Stream::teacher, which, i);
        m(i / cols, i % cols) = static_cast<Real>(scale * normal(words.x[0], words.x[1]));
      });
}

void draw_features(ExecSpace const& space, std::uint64_t seed, std::uint32_t subset,
                   Kokkos::View<std::uint64_t*, ExecSpace> const& sample, ByteMatrix const& features) {
  Kokkos::parallel_for(
      "minidad::data::draw_features", Kokkos::RangePolicy<ExecSpace>(space, 0, features.size()),
      KOKKOS_LAMBDA(std::size_t i) {
        auto const row = i / features.extent(1), col = i % features.extent(1);
        Words4 const words = philox(seed, Stream::features, subset, sample(row) * features.extent(1) + col);
        features(row, col) = static_cast<std::uint8_t>(words.x[0] >> 24);
      });
}

void ask_teacher(ExecSpace const& space, Teacher const& teacher, ByteMatrix const& features, Labels const& label) {
  auto const inner = teacher.inner, outer = teacher.outer;
  Kokkos::parallel_for(
      "minidad::data::ask_teacher", Kokkos::RangePolicy<ExecSpace>(space, 0, label.extent(0)),
      KOKKOS_LAMBDA(std::size_t row) {
        double hidden[teacher_width] = {};
        for (std::size_t i = 0; i < inner.extent(0); ++i)
          for (std::size_t j = 0; j < teacher_width; ++j) hidden[j] += (features(row, i) / 255.0 - 0.5) * inner(i, j);
        double best = 0;
        for (std::size_t c = 0; c < outer.extent(1); ++c) {
          double logit = 0;
          for (std::size_t j = 0; j < teacher_width; ++j) logit += math::tanh(hidden[j]) * outer(j, c);
          if (c == 0 || logit > best) {
            best = logit;
            label(row) = static_cast<std::int32_t>(c);
          }
        }
      });
}

/// The given samples, one a row.
Dataset generate(ExecSpace const& space, DataSettings const& settings, Subset subset, std::uint64_t seed,
                 Kokkos::View<std::uint64_t*, ExecSpace> const& sample) {
  auto const width = static_cast<std::size_t>(settings.features), classes = static_cast<std::size_t>(settings.classes);
  Dataset const dataset{ByteMatrix("minidad::data::features", sample.extent(0), width),
                        Labels("minidad::data::labels", sample.extent(0))};
  Teacher const teacher{Matrix("minidad::data::teacher_inner", width, teacher_width),
                        Matrix("minidad::data::teacher_outer", teacher_width, classes)};
  fill_normal(space, seed, 0, std::sqrt(12.0 / static_cast<double>(width)), teacher.inner);
  fill_normal(space, seed, 1, 1.0, teacher.outer);
  draw_features(space, seed, static_cast<std::uint32_t>(subset), sample, dataset.features);
  ask_teacher(space, teacher, dataset.features, dataset.label);
  fence(space, "minidad::data::teacher_done");
  return dataset;
}

Dataset make_synthetic(ExecSpace const& space, DataSettings const& settings, Subset subset, std::uint64_t seed,
                       Keep const& keep) {
  Kokkos::View<std::uint64_t*, ExecSpace> const sample("minidad::data::sample", keep.count);
  auto const sample_host = Kokkos::create_mirror_view(sample);
  auto const samples = dataset_size(settings, subset).samples;
  for (std::size_t i = 0; i < samples; ++i)
    if (auto const place = keep.place(i); place < keep.count) sample_host(place) = i;
  Kokkos::deep_copy(space, sample, sample_host);
  return generate(space, settings, subset, seed, sample);
}

std::vector<std::int32_t> make_synthetic_labels(ExecSpace const& space, DataSettings const& settings, Subset subset,
                                                std::uint64_t seed) {
  constexpr std::size_t piece = 4096;  // bounds the features that exist for a moment
  std::vector<std::int32_t> labels(dataset_size(settings, subset).samples);
  for (std::size_t begin = 0; begin < labels.size(); begin += piece) {
    auto const count = std::min(piece, labels.size() - begin);
    Kokkos::View<std::uint64_t*, ExecSpace> const sample("minidad::data::sample", count);
    auto const sample_host = Kokkos::create_mirror_view(sample);
    for (std::size_t i = 0; i < count; ++i) sample_host(i) = begin + i;
    Kokkos::deep_copy(space, sample, sample_host);
    auto const label_host = Kokkos::create_mirror_view_and_copy(
        Kokkos::HostSpace(), generate(space, settings, subset, seed, sample).label, "minidad::data::label_host");
    std::copy(label_host.data(), label_host.data() + count, &labels[begin]);
  }
  return labels;
}

}  // namespace

DatasetSize dataset_size(DataSettings const& settings, Subset subset) {
  if (settings.source == "synthetic")
    return {limited(settings, subset,
                    static_cast<std::size_t>(subset == Subset::train ? settings.train_samples : settings.test_samples)),
            static_cast<std::size_t>(settings.features)};
  auto const pair = open_pair(settings, subset);
  return {limited(settings, subset, pair.images.items()), pair.images.item_size()};
}

Dataset read_dataset(ExecSpace const& space, DataSettings const& settings, Subset subset, std::uint64_t seed,
                     Keep const& keep) {
  return settings.source == "synthetic" ? make_synthetic(space, settings, subset, seed, keep)
                                        : read_idx(space, settings, subset, keep);
}

std::vector<std::int32_t> read_labels(ExecSpace const& space, DataSettings const& settings, Subset subset,
                                      std::uint64_t seed) {
  return settings.source == "synthetic" ? make_synthetic_labels(space, settings, subset, seed)
                                        : read_idx_labels(settings, subset);
}

}  // namespace minidad
