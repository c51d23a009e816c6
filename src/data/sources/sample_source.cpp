// SPDX-License-Identifier: BSD-3-Clause
#include "data/sources/sample_source.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>

namespace minidad {

std::vector<std::string> const& files_of(DataSettings const& settings, Subset subset) {
  auto const& files = subset == Subset::train ? settings.train_files : settings.test_files;
  if (files.empty())
    refuse(fmt::format("data.source = \"{}\" needs data.{}_files", settings.source,
                       subset == Subset::train ? "train" : "test"));
  return files;
}

std::size_t classes_of(DataSettings const& settings, std::size_t own, bool fixed) {
  auto const asked = static_cast<std::size_t>(settings.classes);
  if (asked == 1) refuse("data.classes = 1: there must be two at least");
  if (asked == 0 && own == 0) refuse(fmt::format("data.source = \"{}\" needs data.classes", settings.source));
  if (fixed && asked != 0 && asked != own)
    refuse(fmt::format("data.classes = {}, but data.source = \"{}\" has {} classes", asked, settings.source, own));
  return asked == 0 ? own : asked;
}

SampleShape shape_of(std::vector<std::size_t> const& extent, std::string const& file) {
  switch (extent.size()) {
    case 2: return {.channels = extent[1]};
    case 3: return {.height = extent[1], .channels = extent[2]};
    case 4: return {.height = extent[1], .width = extent[2], .channels = extent[3]};
    default:
      refuse(
          fmt::format("{}: features of {} dimensions ({}); read are (samples, features), (samples, steps, "
                      "channels) and (samples, height, width, channels)",
                      file, extent.size(), fmt::join(extent, " x ")));
  }
}

std::string_view trimmed(std::string_view text) {
  auto const begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

bool parse_number(std::string_view text, double& number) {
  text = trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace minidad
