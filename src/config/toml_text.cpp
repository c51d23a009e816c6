// SPDX-License-Identifier: BSD-3-Clause
#include "config/toml_text.hpp"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <sstream>

namespace minidad {

namespace {

TomlValue value_of(toml::node const& node) {
  TomlValue result{{}, "a date or time", node.source().begin.line};
  if (auto const* text = node.as_string()) {
    result.value = text->get();
    result.kind = "a text";
  } else if (auto const* flag = node.as_boolean()) {
    result.value = flag->get();
    result.kind = "true or false";
  } else if (auto const* integer = node.as_integer()) {
    result.value = integer->get();
    result.kind = "a whole number";
  } else if (auto const* number = node.as_floating_point()) {
    result.value = number->get();
    result.kind = "a number with a fraction";
  } else if (auto const* array = node.as_array()) {
    std::vector<TomlValue> list;
    for (auto const& element : *array) list.push_back(value_of(element));
    result.value = std::move(list);
    result.kind = "a list";
  } else if (node.is_table()) {
    result.kind = "a table";
  }
  return result;
}

template <class Parse>
TomlEntries entries_of(Parse const& parse) try {
  TomlEntries entries;
  toml::table const table = parse();
  for (auto const& [key, content] : table) {
    std::string const section(key.str());
    auto const* values = content.as_table();
    if (values == nullptr) entries.emplace(section, value_of(content));
    if (values != nullptr && values->empty()) entries.emplace(section + ".", value_of(content));
    if (values != nullptr)
      for (auto const& [name, node] : *values) entries.emplace(section + "." + std::string(name.str()), value_of(node));
  }
  return entries;
} catch (toml::parse_error const& error) {
  throw TomlError(std::string(error.description()), error.source().begin.line);
}

template <class Node>
std::string written(Node const& node) {
  std::ostringstream out;
  out << node;
  return out.str();
}

}  // namespace

TomlEntries parse_toml(std::string const& text) {
  return entries_of([&] { return toml::table(toml::parse(text)); });
}

TomlEntries parse_toml_file(std::string const& path) {
  return entries_of([&] { return toml::table(toml::parse_file(path)); });
}

std::string toml_text(std::string const& value) { return written(toml::value<std::string>(value)); }

std::string toml_text(double value) {
  auto const shortest = fmt::format("{}", value);  // not "{:#}": TOML knows no "1.e-05"
  return shortest.find_first_of(".en") == std::string::npos ? shortest + ".0" : shortest;
}

std::string toml_text(std::vector<std::string> const& values) {
  toml::array list;
  for (auto const& value : values) list.push_back(value);
  return written(toml::node_view<toml::node>(list));
}

}  // namespace minidad
