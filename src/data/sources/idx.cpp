// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "data/idx_file.hpp"
#include "data/sources/sample_source.hpp"

namespace minidad {

namespace {

class Idx final : public SampleSource {
 public:
  Idx(IdxFile images, IdxFile labels, std::size_t classes) : images_(std::move(images)), labels_(std::move(labels)) {
    if (images_.items() != labels_.items())
      refuse(fmt::format("{} holds {} images, but {} holds {} labels", images_.path(), images_.items(), labels_.path(),
                         labels_.items()));
    size_ = {.samples = images_.items(),
             .shape = {.height = images_.extent()[1], .width = images_.extent()[2]},
             .classes = classes};
    label_file_ = labels_.path();
  }
  void next(Sample& sample) override {
    images_.read(sample.bytes);
    next_label(sample);
    images_too_ = true;
  }
  void next_label(Sample& sample) override {
    std::uint8_t label[1];
    labels_.read(label);
    sample.label[0] = label[0];
  }
  void finish() override {
    if (images_too_) images_.expect_end();
    labels_.expect_end();
  }

 private:
  IdxFile images_, labels_;
  bool images_too_ = false;
};

}  // namespace

SourcePtr open_idx(DataSettings const& settings, Subset subset) {
  bool const train = subset == Subset::train;
  return std::make_unique<Idx>(IdxFile(train ? settings.train_images : settings.test_images, 3),
                               IdxFile(train ? settings.train_labels : settings.test_labels, 1),
                               classes_of(settings, 10, false));
}

}  // namespace minidad
