// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/settings.hpp"
#include "config/toml_text.hpp"

namespace minidad {

namespace {

/// Shows each setting as a deck would write it.
class SettingsWriter : public SettingsVisitor {
 public:
  void text(char const* key, std::string& value, char const* help, Choices choices) override {
    write(key, toml_text(value), choices.empty() ? help : fmt::format("{}: {}", help, fmt::join(choices, ", ")));
  }
  void texts(char const* key, std::vector<std::string>& value, char const* help) override {
    write(key, toml_text(value), help);
  }
  void flag(char const* key, bool& value, char const* help) override { write(key, value ? "true" : "false", help); }
  void integer(char const* key, std::int64_t& value, Range, char const* help) override {
    write(key, fmt::to_string(value), help);
  }
  void real(char const* key, double& value, Range, char const* help) override { write(key, toml_text(value), help); }
  void integers(char const* key, std::vector<std::int64_t>& value, Range, char const* help) override {
    write(key, fmt::format("[{}]", fmt::join(value, ", ")), help);
  }

 private:
  virtual void write(std::string_view key, std::string const& value, std::string const& help) = 0;
};

class DeckWriter final : public SettingsWriter {
 public:
  std::string const& deck() const { return deck_; }

 private:
  void write(std::string_view key, std::string const& value, std::string const& help) override {
    auto const dot = key.find('.');
    if (auto const section = key.substr(0, dot); section != section_) {
      deck_ += fmt::format("{}[{}]\n", deck_.empty() ? "" : "\n", section);
      section_ = section;
    }
    deck_ += fmt::format("{:<40} # {}\n", fmt::format("{} = {}", key.substr(dot + 1), value), help);
  }

  std::string deck_, section_;
};

class SettingsLister final : public SettingsWriter {
 public:
  std::vector<std::pair<std::string, std::string>> list;  // key and value

 private:
  void write(std::string_view key, std::string const& value, std::string const&) override {
    list.emplace_back(key, value);
  }
};

}  // namespace

std::vector<Difference> differences(Settings const& before, Settings const& after) {
  auto const list = [](Settings settings) {
    SettingsLister lister;
    visit_settings(lister, settings);
    return lister.list;
  };
  auto const was = list(before), is = list(after);
  std::vector<Difference> found;
  for (std::size_t i = 0; i < was.size(); ++i)
    if (was[i].second != is[i].second) found.push_back({was[i].first, was[i].second, is[i].second});
  return found;
}

std::string resolved_deck(Settings const& settings) {
  Settings copy = settings;  // visitors may change what they see; this one does not
  DeckWriter writer;
  visit_settings(writer, copy);
  return writer.deck();
}

}  // namespace minidad
