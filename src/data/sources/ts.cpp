// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "data/byte_file.hpp"
#include "data/sources/sample_source.hpp"

namespace minidad {

namespace {

/// Series of any lengths.
struct Series {
  std::vector<std::vector<std::vector<Real>>> values;  ///< sample, dimension, step
  std::vector<std::int64_t> label;
  std::vector<std::string> classes;  ///< in the order of the header
  std::size_t dimensions = 0, longest = 0;
};

class TsReader {
 public:
  TsReader(std::string const& path, Series& to) : path_(path), to_(to) {
    auto const text = ByteFile(path).read_rest();
    for_each_part(text, '\n', [&](std::string_view line) { read(trimmed(line)); });
    if (!data_) refuse(fmt::format("{}: not a .ts file: it has no \"@data\"", path));
    if (samples_ == 0) refuse(fmt::format("{}: there are no series", path));
  }

 private:
  void read(std::string_view line) {
    ++number_;
    if (line.empty() || line.front() == '#') return;
    if (data_) return read_series(line);
    if (line.front() != '@') complain("expected a line of the header, which begins with '@'");
    std::string key(line.substr(1, line.find_first_of(" \t") - 1));
    std::transform(key.begin(), key.end(), key.begin(), [](unsigned char c) { return std::tolower(c); });
    auto const rest = trimmed(line.substr(std::min(line.size(), key.size() + 1)));
    if (key == "data") {
      data_ = true;
      if (classes_.empty()) complain("before it there must be \"@classLabel true\" and the classes");
      if (!to_.classes.empty() && to_.classes != classes_) complain("its classes are not those of the other files");
      to_.classes = classes_;
    } else if (key == "timestamps" && rest == "true") {
      complain("series with time stamps are not read");
    } else if (key == "classlabel") {
      for_each_part(rest, ' ', [&](std::string_view word) {
        if (!trimmed(word).empty()) classes_.emplace_back(trimmed(word));
      });
      if (classes_.empty() || classes_.front() != "true") complain("series without classes are not read");
      classes_.erase(classes_.begin());
    }
  }

  /// a, b, c : d, e, f : class
  void read_series(std::string_view line) {
    auto const colon = line.rfind(':');
    if (colon == std::string_view::npos) complain("expected dimensions and the class between colons");
    auto const name = trimmed(line.substr(colon + 1));
    auto const found = std::find(classes_.begin(), classes_.end(), name);
    if (found == classes_.end()) complain(fmt::format("the class '{}' is not in the header", name));
    std::vector<std::vector<Real>> sample;
    for_each_part(line.substr(0, colon), ':', [&](std::string_view dimension) {
      sample.emplace_back();
      for_each_part(dimension, ',', [&](std::string_view field) {
        double value = 0;
        if (!parse_number(field, value)) complain(fmt::format("'{}' is not a number", trimmed(field)));
        sample.back().push_back(static_cast<Real>(value));
      });
      if (sample.back().size() != sample.front().size())
        complain(fmt::format("dimension {} has {} steps, the first has {}", sample.size(), sample.back().size(),
                             sample.front().size()));
    });
    if (to_.dimensions == 0) to_.dimensions = sample.size();
    if (sample.size() != to_.dimensions)
      complain(fmt::format("has {} dimensions, series before it have {}", sample.size(), to_.dimensions));
    to_.longest = std::max(to_.longest, sample.front().size());
    to_.values.push_back(std::move(sample));
    to_.label.push_back(found - classes_.begin());
    ++samples_;
  }
  [[noreturn]] void complain(std::string const& what) const { refuse(fmt::format("{}:{}: {}", path_, number_, what)); }

  std::string const& path_;
  Series& to_;
  std::vector<std::string> classes_;
  std::size_t number_ = 0, samples_ = 0;
  bool data_ = false;
};

Series read_series(std::vector<std::string> const& files) {
  Series series;
  for (auto const& path : files) TsReader(path, series);
  return series;
}

}  // namespace

SourcePtr open_ts(DataSettings const& settings, Subset subset) {
  auto const& files = files_of(settings, subset);
  auto const series = read_series(files);
  auto length = static_cast<std::size_t>(settings.length);
  if (length == 0)  // the same for both subsets
    length = std::max(series.longest,
                      read_series(files_of(settings, subset == Subset::train ? Subset::test : Subset::train)).longest);
  if (series.longest > length)
    refuse(fmt::format("{}: a series has {} steps, but data.length = {}", files.front(), series.longest, length));
  Table::Content content{.size = {.samples = series.values.size(),
                                  .shape = {.height = length, .channels = series.dimensions},
                                  .classes = classes_of(settings, series.classes.size(), true)},
                         .numbers = {},
                         .label = series.label,
                         .file = files.back()};
  content.numbers.assign(content.size.samples * content.size.shape.size(), 0);
  auto* to = content.numbers.data();
  for (auto const& sample : series.values) {
    auto const missing = length - sample.front().size();
    for (std::size_t d = 0; d < sample.size(); ++d)
      for (std::size_t t = 0; t < sample[d].size(); ++t) to[(missing + t) * sample.size() + d] = sample[d][t];
    to += content.size.shape.size();
  }
  return std::make_unique<Table>(std::move(content));
}

}  // namespace minidad
