// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <cmath>

#include "data/byte_file.hpp"
#include "data/sources/sample_source.hpp"

namespace minidad {

namespace {

/// Adds the samples of one file.
class CsvReader {
 public:
  CsvReader(std::string const& path, bool label_first, Table::Content& to)
      : path_(path), label_first_(label_first), to_(to) {
    auto const text = ByteFile(path).read_rest();
    for_each_part(text, '\n', [&](std::string_view line) { read(trimmed(line)); });
    if (samples_ == 0) refuse(fmt::format("{}: there are no samples", path));
  }

 private:
  void read(std::string_view line) {
    ++number_;
    double first = 0;
    if (line.empty() || (number_ == 1 && !parse_number(line.substr(0, line.find(',')), first))) return;
    std::vector<double> fields;
    for_each_part(line, ',', [&](std::string_view field) {
      double value = 0;
      if (!parse_number(field, value)) complain(fmt::format("'{}' is not a number", trimmed(field)));
      fields.push_back(value);
    });
    auto& width = to_.size.shape.channels;
    if (to_.size.samples == 0) width = fields.size() - 1;
    if (width == 0) complain("there is nothing but a label");
    if (fields.size() != width + 1)
      complain(fmt::format("has {} numbers, lines before it have {}", fields.size(), width + 1));
    auto const label = fields[label_first_ ? 0 : width];
    if (label != std::floor(label) || std::abs(label) > 1e9)
      complain(fmt::format("the label {} is not a whole number", label));
    to_.label.push_back(static_cast<std::int64_t>(label));
    auto const begin = fields.begin() + (label_first_ ? 1 : 0);
    to_.numbers.insert(to_.numbers.end(), begin, begin + static_cast<std::ptrdiff_t>(width));
    ++to_.size.samples;
    ++samples_;
  }
  [[noreturn]] void complain(std::string const& what) const { refuse(fmt::format("{}:{}: {}", path_, number_, what)); }

  std::string const& path_;
  bool label_first_;
  Table::Content& to_;
  std::size_t number_ = 0, samples_ = 0;
};

}  // namespace

SourcePtr open_csv(DataSettings const& settings, Subset subset) {
  Table::Content content;
  for (auto const& path : files_of(settings, subset)) {
    CsvReader(path, settings.label_column == "first", content);
    content.file = path;
  }
  content.size.classes = classes_of(settings, 0, false);
  return std::make_unique<Table>(std::move(content));
}

}  // namespace minidad
