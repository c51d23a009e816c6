// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "data/dataset.hpp"

namespace minidad {

/// What a file says of one sample.
struct Sample {
  std::vector<std::uint8_t> bytes;  ///< SampleSource::bytes says which of the two
  std::vector<Real> numbers;
  std::vector<std::int64_t> label;
};

/// The samples of a data set, from the first to the last. Every complaint is an Error(user) that names the file.
class SampleSource {
 public:
  virtual ~SampleSource() = default;

  DatasetSize const& size() const { return size_; }
  bool bytes() const { return bytes_; }
  /// The files that the features and the label of the last sample are from.
  std::string const& file() const { return file_.empty() ? label_file_ : file_; }
  std::string const& label_file() const { return label_file_; }

  /// Asked for no more samples than there are; `sample` has the sizes that it needs.
  virtual void next(Sample& sample) = 0;
  /// The same for those who look at the label only. All samples are asked for in one of the two ways.
  virtual void next_label(Sample& sample) { next(sample); }
  /// After the last sample: complains about what remains.
  virtual void finish() {}

 protected:
  DatasetSize size_;
  bool bytes_ = true;
  std::string file_{}, label_file_;  ///< the former only where it is another
};

/// Samples that are in memory as numbers.
class Table final : public SampleSource {
 public:
  struct Content {
    DatasetSize size;
    std::vector<Real> numbers;        ///< (samples, size of one)
    std::vector<std::int64_t> label;  ///< (samples)
    std::string file;
  };
  explicit Table(Content content) : content_(std::move(content)) {
    size_ = content_.size;
    bytes_ = false;
    label_file_ = content_.file;
  }
  void next(Sample& sample) override {
    auto const begin = content_.numbers.begin() + static_cast<std::ptrdiff_t>(at_ * size_.shape.size());
    std::copy(begin, begin + static_cast<std::ptrdiff_t>(size_.shape.size()), sample.numbers.begin());
    sample.label[0] = content_.label[at_++];
  }

 private:
  Content content_;
  std::size_t at_ = 0;
};

using SourcePtr = std::unique_ptr<SampleSource>;

/// A pair of IDX files: images height × width, and their labels.
SourcePtr open_idx(DataSettings const& settings, Subset subset);
/// Files of records: a label (CIFAR-100: a coarse and a fine one, which is the one taken) and 3 × 32 × 32 bytes, colour
/// by colour. Krizhevsky 2009; the binary versions.
SourcePtr open_cifar(DataSettings const& settings, Subset subset);
/// A pair of NumPy's NPY files (format 1 to 3, little-endian, C order): (samples, ...) numbers, and (samples) labels.
/// Unsigned bytes are pixels.
SourcePtr open_npy(DataSettings const& settings, Subset subset);
/// Lines of numbers between commas, one of them the label; a first line that does not begin with a number is a heading.
SourcePtr open_csv(DataSettings const& settings, Subset subset);
/// Files with a dataset of features, (samples, ...), and one of labels, (samples). Unsigned bytes are pixels.
SourcePtr open_hdf5(DataSettings const& settings, Subset subset);
/// Time series in the format of the UEA archive and sktime: after "@data" a line each, its dimensions between colons,
/// the class last. Shorter series get zeros in front, so that all end together.
SourcePtr open_ts(DataSettings const& settings, Subset subset);
/// A text as bytes, raw or gzip: windows of `context` bytes, and of each byte the one that follows it as its label.
/// Windows of the test do not overlap.
SourcePtr open_text(DataSettings const& settings, Subset subset);

// What sources have in common.

/// The paths of a subset; complains when there are none.
std::vector<std::string> const& files_of(DataSettings const& settings, Subset subset);
/// data.classes, or `own` if it leaves them open (0: it may not); complains if the source has others.
std::size_t classes_of(DataSettings const& settings, std::size_t own, bool fixed);
/// (samples, a, b, c): a sequence or an image, by how many there are.
SampleShape shape_of(std::vector<std::size_t> const& extent, std::string const& file);
/// The whole of `text` as a number; false: it is none.
bool parse_number(std::string_view text, double& number);
std::string_view trimmed(std::string_view text);
/// f(part) for each part between separators.
template <class F>
void for_each_part(std::string_view text, char separator, F const& f) {
  for (;;) {
    auto const end = text.find(separator);
    f(text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

}  // namespace minidad
