// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "config/settings.hpp"
#include "config/toml_text.hpp"

namespace minidad {

namespace {

std::string interval(Range const& range) {
  std::vector<std::string> bounds;
  if (std::isfinite(range.low)) bounds.push_back(fmt::format("{} {}", range.open_low ? ">" : ">=", range.low));
  if (std::isfinite(range.high)) bounds.push_back(fmt::format("<= {}", range.high));
  return fmt::format("{}", fmt::join(bounds, ", "));
}

class Lister final : public SettingsVisitor {
 public:
  std::vector<SettingEntry> list;

  void text(char const* key, std::string& value, char const* help, Choices choices) override {
    list.push_back({key, "text", toml_text(value), fmt::format("{}", fmt::join(choices, ", ")), help});
  }
  void flag(char const* key, bool& value, char const* help) override {
    list.push_back({key, "flag", value ? "true" : "false", "true, false", help});
  }
  void integer(char const* key, std::int64_t& value, Range range, char const* help) override {
    list.push_back({key, "whole number", fmt::to_string(value), interval(range), help});
  }
  void real(char const* key, double& value, Range range, char const* help) override {
    list.push_back({key, "number", toml_text(value), interval(range), help});
  }
  void texts(char const* key, std::vector<std::string>& value, char const* help) override {
    list.push_back({key, "list of texts", toml_text(value), "", help});
  }
  void integers(char const* key, std::vector<std::int64_t>& value, Range range, char const* help) override {
    list.push_back({key, "list of whole numbers", fmt::format("[{}]", fmt::join(value, ", ")), interval(range), help});
  }
};

}  // namespace

std::vector<SettingEntry> list_settings() {
  Settings defaults;
  Lister lister;
  visit_settings(lister, defaults);
  return lister.list;
}

}  // namespace minidad
