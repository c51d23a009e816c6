// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// What decks need of TOML, and the only place that speaks toml++. Free of Kokkos: nvcc, which compiles whatever includes
// Kokkos for CUDA, stumbles over toml++ (all versions up to 3.4).

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

namespace minidad {

struct TomlValue {
  /// monostate: something that no deck holds, such as a date.
  std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<TomlValue>> value;
  std::string kind;  ///< for complaints: "a text", "a whole number" ...
  std::size_t line;
};

/// A text is not TOML.
struct TomlError : std::runtime_error {
  TomlError(std::string const& what, std::size_t where) : std::runtime_error(what), line(where) {}
  std::size_t line;
};

/// Values by "section.name", and by "name" those outside any section; a section without values by "section.". What a
/// section holds deeper down is one value of kind "a table". Throw TomlError.
using TomlEntries = std::map<std::string, TomlValue>;
TomlEntries parse_toml(std::string const& text);
TomlEntries parse_toml_file(std::string const& path);

/// As TOML writes it.
std::string toml_text(std::string const& value);
std::string toml_text(double value);
std::string toml_text(std::vector<std::string> const& values);

}  // namespace minidad
