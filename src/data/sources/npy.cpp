// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cmath>
#include <cstring>

#include "data/byte_file.hpp"
#include "data/sources/sample_source.hpp"

namespace minidad {

namespace {

template <class T>
double element(std::uint8_t const* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return static_cast<double>(value);
}

struct ElementType {
  char const* name;
  std::size_t size;
  double (*convert)(std::uint8_t const*);
};
constexpr ElementType element_types[] = {{"|u1", 1, element<std::uint8_t>},  {"|i1", 1, element<std::int8_t>},
                                         {"<u2", 2, element<std::uint16_t>}, {"<i2", 2, element<std::int16_t>},
                                         {"<u4", 4, element<std::uint32_t>}, {"<i4", 4, element<std::int32_t>},
                                         {"<u8", 8, element<std::uint64_t>}, {"<i8", 8, element<std::int64_t>},
                                         {"<f4", 4, element<float>},         {"<f8", 8, element<double>}};

/// An array, read row by row.
class NpyFile {
 public:
  explicit NpyFile(std::string const& path) : file_(path) {
    std::array<std::uint8_t, 8> magic{};
    if (file_.read_some(magic) < magic.size() || std::memcmp(magic.data(), "\x93NUMPY", 6) != 0)
      file_.complain("not an NPY file");
    if (magic[6] < 1 || magic[6] > 3) file_.complain(fmt::format("is of NPY format {}; read are 1 to 3", magic[6]));
    std::vector<std::uint8_t> length(magic[6] == 1 ? 2 : 4);
    if (file_.read_some(length) < length.size()) file_.complain("too short for an NPY header");
    std::size_t size = 0;
    for (std::size_t i = length.size(); i-- > 0;) size = size << 8 | length[i];
    constexpr std::size_t most = 65536;
    if (size > most) file_.complain(fmt::format("has a header of {} bytes, beyond any array's", size));
    std::vector<std::uint8_t> header(size);
    if (file_.read_some(header) < size) file_.complain("too short for an NPY header");
    understand({header.begin(), header.end()});
    std::size_t total = type_->size;
    for (auto const n : extent_) {
      if (n == 0) file_.complain(fmt::format("is empty: {}", fmt::join(extent_, " x ")));
      if (total > (std::size_t{1} << 48) / n) file_.complain("its dimensions are beyond any file");
      total *= n;
    }
    file_.expect_possible(magic.size() + length.size() + size + total, fmt::format("{}", fmt::join(extent_, " x ")));
    row_.resize(total / extent_[0]);
  }

  std::vector<std::size_t> const& extent() const { return extent_; }
  bool bytes() const { return type_->convert == element<std::uint8_t>; }
  bool integers() const { return type_->name[1] != 'f'; }
  ByteFile const& file() const { return file_; }

  void read(std::vector<std::uint8_t>& bytes) { file_.read(bytes); }
  void read(std::vector<Real>& numbers) {
    file_.read(row_);
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<Real>(value(i));
  }
  void read(std::vector<std::int64_t>& numbers) {
    file_.read(row_);
    for (std::size_t i = 0; i < numbers.size(); ++i)
      numbers[i] = std::abs(value(i)) < 9e15 ? static_cast<std::int64_t>(value(i)) : -1;  // -1: certainly no label
  }
  void expect_end() { file_.expect_end(); }

 private:
  double value(std::size_t i) const { return type_->convert(row_.data() + i * type_->size); }
  /// What stands behind a key of the header, between `open` and `close`.
  std::string value_of(std::string const& header, std::string const& key, char const* open, char const* close) const {
    auto const at = header.find("'" + key + "'");
    auto const begin = at == std::string::npos ? at : header.find_first_of(open, header.find(':', at));
    auto const end = begin == std::string::npos ? begin : header.find_first_of(close, begin + 1);
    if (end == std::string::npos) file_.complain(fmt::format("its header is not understood: {}", trimmed(header)));
    return header.substr(begin + 1, end - begin - 1);
  }
  /// {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
  void understand(std::string const& header) {
    auto const name = value_of(header, "descr", "'", "'");
    for (auto const& known : element_types)
      if (name == known.name) type_ = &known;
    if (type_ == nullptr) {
      std::vector<char const*> names;
      for (auto const& known : element_types) names.push_back(known.name);
      file_.complain(fmt::format("holds elements of type '{}'; read are {}", name, fmt::join(names, ", ")));
    }
    if (trimmed(value_of(header, "fortran_order", ":", ",}")) != "False")
      file_.complain("is in Fortran order; C order is read");
    for_each_part(value_of(header, "shape", "(", ")"), ',', [&](std::string_view part) {
      double n = 0;
      if (trimmed(part).empty()) return;
      if (!parse_number(part, n) || n < 0 || n != std::floor(n))
        file_.complain(fmt::format("its header is not understood: {}", trimmed(header)));
      if (n > 1e15) file_.complain("its dimensions are beyond any file");
      extent_.push_back(static_cast<std::size_t>(n));
    });
    if (extent_.empty()) file_.complain("holds a single number");
  }

  ByteFile file_;
  ElementType const* type_ = nullptr;
  std::vector<std::size_t> extent_;
  std::vector<std::uint8_t> row_;
};

class Npy final : public SampleSource {
 public:
  Npy(std::string const& features, std::string const& labels, std::size_t classes)
      : features_(features), labels_(labels) {
    auto const& extent = features_.extent();
    if (labels_.extent().size() != 1)
      labels_.file().complain(fmt::format("labels have one dimension, not {}", labels_.extent().size()));
    if (!labels_.integers()) labels_.file().complain("labels are not whole numbers");
    if (extent[0] != labels_.extent()[0])
      refuse(
          fmt::format("{} holds {} samples, but {} holds {} labels", features, extent[0], labels, labels_.extent()[0]));
    size_ = {.samples = extent[0], .shape = shape_of(extent, features), .classes = classes};
    bytes_ = features_.bytes();
    file_ = features;
    label_file_ = labels;
  }
  void next(Sample& sample) override {
    if (bytes_)
      features_.read(sample.bytes);
    else
      features_.read(sample.numbers);
    labels_.read(sample.label);
  }
  void finish() override {
    features_.expect_end();
    labels_.expect_end();
  }

 private:
  NpyFile features_, labels_;
};

}  // namespace

SourcePtr open_npy(DataSettings const& settings, Subset subset) {
  bool const train = subset == Subset::train;
  return std::make_unique<Npy>(train ? settings.train_images : settings.test_images,
                               train ? settings.train_labels : settings.test_labels, classes_of(settings, 0, false));
}

}  // namespace minidad
