// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "data/byte_file.hpp"
#include "data/sources/sample_source.hpp"

namespace minidad {

namespace {

constexpr std::size_t side = 32, colours = 3, pixels = side * side;

class Cifar final : public SampleSource {
 public:
  /// The last of `labels` bytes is the one taken.
  Cifar(std::vector<std::string> const& files, std::size_t labels, std::size_t classes)
      : files_(files), record_(labels + colours * pixels) {
    size_ = {.shape = {.height = side, .width = side, .channels = colours}, .classes = classes};
    for (auto const& path : files_) {
      ByteFile file(path);  // all of them are looked at first
      count_.push_back(records_in(file));
      size_.samples += count_.back();
    }
  }
  void next(Sample& sample) override {
    while (left_ == 0) {
      finish();
      file_.emplace(files_[opened_]);
      label_file_ = files_[opened_];
      left_ = count_[opened_++];
    }
    --left_;
    file_->read(record_);
    auto const* const planes = record_.data() + record_.size() - colours * pixels;
    sample.label[0] = planes[-1];
    for (std::size_t p = 0; p < pixels; ++p)
      for (std::size_t c = 0; c < colours; ++c) sample.bytes[p * colours + c] = planes[c * pixels + p];
  }
  void finish() override {
    if (file_) file_->expect_end();
  }

 private:
  /// By reading it: a compressed file does not say.
  std::size_t records_in(ByteFile& file) {
    std::size_t records = 0;
    for (;;) {
      auto const got = file.read_some(record_);
      if (got == 0) break;
      if (got < record_.size())
        file.complain(fmt::format("not whole records of {} bytes: {} remain after {}", record_.size(), got, records));
      ++records;
    }
    if (records == 0) file.complain("is empty");
    file.expect_end();
    return records;
  }

  std::vector<std::string> files_;
  std::vector<std::uint8_t> record_;
  std::vector<std::size_t> count_;
  std::optional<ByteFile> file_;
  std::size_t opened_ = 0, left_ = 0;
};

}  // namespace

SourcePtr open_cifar(DataSettings const& settings, Subset subset) {
  bool const hundred = settings.source == "cifar100";
  return std::make_unique<Cifar>(files_of(settings, subset), hundred ? 2 : 1,
                                 classes_of(settings, hundred ? 100 : 10, true));
}

}  // namespace minidad
