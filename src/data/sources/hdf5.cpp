// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <optional>

#include "data/sources/sample_source.hpp"
#include "io/hdf5_array.hpp"

namespace minidad {

namespace {

class Hdf5 final : public SampleSource {
 public:
  Hdf5(std::vector<std::string> const& files, DataSettings const& settings) : files_(files), settings_(settings) {
    for (std::size_t f = 0; f < files.size(); ++f) {
      open(f);
      auto const shape = shape_of(features_->extent(), files[f]);
      if (f > 0 && (shape != size_.shape || features_->bytes() != bytes_))
        features_->complain("is not as in the files before it");
      if (labels_->extent().size() != 1)
        labels_->complain(fmt::format("labels have one dimension, not {}", labels_->extent().size()));
      if (!labels_->integers()) labels_->complain("labels are not whole numbers");
      if (labels_->extent()[0] != features_->extent()[0])
        labels_->complain(fmt::format("{} labels, but {} samples", labels_->extent()[0], features_->extent()[0]));
      size_.shape = shape;
      size_.samples += features_->extent()[0];
      bytes_ = features_->bytes();
    }
    size_.classes = classes_of(settings, 0, false);
    open(0);
  }
  void next(Sample& sample) override {
    if (row_ == features_->extent()[0]) open(file_ + 1);
    if (bytes_)
      features_->read(row_, sample.bytes);
    else
      features_->read(row_, sample.numbers);
    next_label(sample);
  }
  void next_label(Sample& sample) override {
    if (row_ == labels_->extent()[0]) open(file_ + 1);
    labels_->read(row_++, sample.label);
  }

 private:
  void open(std::size_t file) {
    features_.emplace(files_[file], settings_.features_name);
    labels_.emplace(files_[file], settings_.labels_name);
    label_file_ = files_[file];
    file_ = file;
    row_ = 0;
  }

  std::vector<std::string> files_;
  DataSettings settings_;
  std::optional<Hdf5Array> features_, labels_;
  std::size_t file_ = 0, row_ = 0;
};

}  // namespace

SourcePtr open_hdf5(DataSettings const& settings, Subset subset) {
  return std::make_unique<Hdf5>(files_of(settings, subset), settings);
}

}  // namespace minidad
