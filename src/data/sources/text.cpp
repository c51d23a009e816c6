// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <cmath>

#include "data/byte_file.hpp"
#include "data/sources/sample_source.hpp"

namespace minidad {

namespace {

constexpr char const* usual_text = "/usr/share/doc/jargon-text/jargon.txt.gz";

std::string read_files(std::vector<std::string> const& files) {
  std::string text;
  for (auto const& path : files) text += ByteFile(path).read_rest();
  return text;
}

/// The part of the text that the subset has.
std::string text_of(DataSettings const& settings, Subset subset) {
  if (subset == Subset::test && !settings.test_files.empty()) return read_files(settings.test_files);
  auto text = read_files(settings.train_files.empty() ? std::vector<std::string>{usual_text} : settings.train_files);
  if (!settings.test_files.empty()) return text;
  auto const tests = static_cast<std::size_t>(std::floor(static_cast<double>(text.size()) * settings.test_fraction));
  auto const begin = text.size() - tests;
  return subset == Subset::train ? text.substr(0, begin) : text.substr(begin);
}

class Text final : public SampleSource {
 public:
  Text(std::string text, std::size_t context, std::size_t stride, std::size_t classes, std::string file)
      : text_(std::move(text)), stride_(stride) {
    if (text_.size() < context + 1)
      refuse(fmt::format("{}: {} bytes are too few for data.context = {}", file, text_.size(), context));
    size_ = {.samples = (text_.size() - context - 1) / stride + 1,
             .shape = {.height = context},
             .labels = context,
             .classes = classes};
    label_file_ = std::move(file);
  }
  void next(Sample& sample) override {
    for (std::size_t i = 0; i < size_.labels; ++i) {
      sample.bytes[i] = static_cast<std::uint8_t>(text_[at_ + i]);
      sample.label[i] = static_cast<std::uint8_t>(text_[at_ + i + 1]);
    }
    at_ += stride_;
  }

 private:
  std::string text_;
  std::size_t stride_, at_ = 0;
};

}  // namespace

SourcePtr open_text(DataSettings const& settings, Subset subset) {
  bool const own_test = subset == Subset::test && !settings.test_files.empty();
  auto const& files = own_test ? settings.test_files : settings.train_files;
  return std::make_unique<Text>(text_of(settings, subset), static_cast<std::size_t>(settings.context),
                                static_cast<std::size_t>(subset == Subset::train ? settings.stride : settings.context),
                                classes_of(settings, 256, true), files.empty() ? usual_text : files.front());
}

}  // namespace minidad
