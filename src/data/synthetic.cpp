// SPDX-License-Identifier: BSD-3-Clause
#include "data/synthetic.hpp"

#include <algorithm>
#include <cmath>

#include "core/random.hpp"
#include "data/sources/sample_source.hpp"

namespace minidad {

namespace {

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
  auto const width = static_cast<std::size_t>(settings.features), classes = synthetic_size(settings, subset).classes;
  Dataset dataset{.features = ByteMatrix("minidad::data::features", sample.extent(0), width),
                  .numbers = {},
                  .label = Labels("minidad::data::labels", sample.extent(0)),
                  .shape = {.channels = width},
                  .labels = 1,
                  .gain = {},
                  .offset = {}};
  Teacher const teacher{Matrix("minidad::data::teacher_inner", width, teacher_width),
                        Matrix("minidad::data::teacher_outer", teacher_width, classes)};
  fill_normal(space, seed, 0, std::sqrt(12.0 / static_cast<double>(width)), teacher.inner);
  fill_normal(space, seed, 1, 1.0, teacher.outer);
  draw_features(space, seed, static_cast<std::uint32_t>(subset), sample, dataset.features);
  ask_teacher(space, teacher, dataset.features, dataset.label);
  fence(space, "minidad::data::teacher_done");
  return dataset;
}

}  // namespace

DatasetSize synthetic_size(DataSettings const& settings, Subset subset) {
  return {.samples = static_cast<std::size_t>(subset == Subset::train ? settings.train_samples : settings.test_samples),
          .shape = {.channels = static_cast<std::size_t>(settings.features)},
          .classes = classes_of(settings, 10, false),
          .sample_bytes = static_cast<std::size_t>(settings.features)};
}

Dataset make_synthetic(ExecSpace const& space, DataSettings const& settings, Subset subset, std::uint64_t seed,
                       Keep const& keep) {
  Kokkos::View<std::uint64_t*, ExecSpace> const sample("minidad::data::sample", keep.count);
  auto const sample_host = Kokkos::create_mirror_view(sample);
  auto const samples = synthetic_size(settings, subset).samples;
  for (std::size_t i = 0; i < samples; ++i)
    if (auto const place = keep.place(i); place < keep.count) sample_host(place) = i;
  Kokkos::deep_copy(space, sample, sample_host);
  return generate(space, settings, subset, seed, sample);
}

std::vector<std::int32_t> make_synthetic_labels(ExecSpace const& space, DataSettings const& settings, Subset subset,
                                                std::uint64_t seed) {
  constexpr std::size_t piece = 4096;  // bounds the features that exist for a moment
  std::vector<std::int32_t> labels(synthetic_size(settings, subset).samples);
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

}  // namespace minidad
