// SPDX-License-Identifier: BSD-3-Clause
#include "nn/layer_line.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "core/error.hpp"

namespace minidad {

LayerLine::LayerLine(std::string const& text, std::string where) : text_(text), where_(std::move(where)) {
  std::istringstream stream(text);
  for (std::string word; stream >> word;) words_.push_back(word);
  if (words_.empty()) complain("there is no layer");
  kind_ = words_.front();
  words_.erase(words_.begin());
}

void LayerLine::complain(std::string const& what) const { refuse(fmt::format("{} \"{}\": {}", where_, text_, what)); }

std::size_t LayerLine::number(std::string const& what, std::string const& text, std::size_t least) const {
  constexpr std::size_t most = 2147483647;
  std::size_t value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > most)
    complain(fmt::format("{} '{}' is not a whole number up to {}", what, text, most));
  if (value < least) complain(fmt::format("{} is {}, it must be at least {}", what, value, least));
  return value;
}

bool LayerLine::has_size() const {
  return !words_.empty() && words_.front().find('=') == std::string::npos &&
         (std::isdigit(static_cast<unsigned char>(words_.front()[0])) != 0 || words_.front() == "classes");
}

std::size_t LayerLine::size(char const* what, std::size_t classes) {
  if (!has_size()) complain(fmt::format("{} is missing: \"{} NUMBER\"", what, kind_));
  auto const word = words_.front();
  words_.erase(words_.begin());
  return word == "classes" && classes > 0 ? classes : number(what, word, 1);
}

std::optional<std::string> LayerLine::take(std::string const& key) {
  auto const found =
      std::find_if(words_.begin(), words_.end(), [&](std::string const& word) { return word.starts_with(key + "="); });
  if (found == words_.end()) return std::nullopt;
  auto value = found->substr(key.size() + 1);
  words_.erase(found);
  return value;
}

std::size_t LayerLine::option(char const* key, std::optional<std::size_t> otherwise, std::size_t least) {
  if (auto const text = take(key)) return number(key, *text, least);
  if (!otherwise) complain(fmt::format("{}=NUMBER is missing", key));
  return *otherwise;
}

double LayerLine::fraction_from(std::string const& what, std::string const& text) const {
  std::istringstream stream(text);
  double value = -1;
  stream >> value;
  if (stream.fail() || !stream.eof() || value < 0 || value >= 1)
    complain(fmt::format("{} '{}' is not a number from 0 to less than 1", what, text));
  return value;
}

double LayerLine::fraction(char const* key, std::optional<double> otherwise) {
  auto const text = take(key);
  if (!text && !otherwise) complain(fmt::format("{}=NUMBER is missing", key));
  return text ? fraction_from(key, *text) : *otherwise;
}

double LayerLine::leading_fraction(char const* what) {
  if (!has_size()) complain(fmt::format("{} is missing: \"{} NUMBER\"", what, kind_));
  auto const word = words_.front();
  words_.erase(words_.begin());
  return fraction_from(what, word);
}

bool LayerLine::flag(char const* word) {
  auto const found = std::find(words_.begin(), words_.end(), word);
  if (found == words_.end()) return false;
  words_.erase(found);
  return true;
}

Activation LayerLine::activation() {
  for (auto const* known : activation_names)
    if (flag(known)) return activation_named(known);
  return Activation::identity;
}

void LayerLine::done() const {
  if (!words_.empty()) complain(fmt::format("'{}' means nothing here", fmt::join(words_, " ")));
}

std::string to_string(SampleShape const& shape) {
  if (shape.places() == 1) return fmt::to_string(shape.channels);
  if (shape.width == 1) return fmt::format("{}x{}", shape.height, shape.channels);
  return fmt::format("{}x{}x{}", shape.height, shape.width, shape.channels);
}

}  // namespace minidad
