// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "config/settings.hpp"
#include "config/toml_text.hpp"
#include "core/error.hpp"

namespace minidad {

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      auto const replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

/// " (did you mean 'x'?)", or nothing when no candidate is near. A key is also near when only its section is wrong.
std::string suggestion(std::string_view found, std::vector<std::string> const& candidates) {
  std::string best;
  std::size_t least = std::max<std::size_t>(2, found.size() / 3) + 1;
  auto const leaf = [](std::string_view key) { return key.substr(key.rfind('.') + 1); };
  for (auto const& candidate : candidates) {
    auto distance = edit_distance(found, candidate);
    if (leaf(found) == leaf(candidate)) distance = std::min<std::size_t>(distance, 1);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best.empty() ? "" : fmt::format(" (did you mean '{}'?)", best);
}

/// Takes the settings that one TOML text holds, and refuses what it does not know.
class DeckReader final : public SettingsVisitor {
 public:
  /// `origin` names the source; `lines`: whether line numbers in it mean anything to the user.
  DeckReader(TomlEntries const& entries, std::string origin, bool lines)
      : entries_(entries), origin_(std::move(origin)), lines_(lines) {}

  void text(char const* key, std::string& value, char const*, Choices choices) override {
    auto const* node = find(key);
    if (node == nullptr) return;
    value = as<std::string>(key, *node, "a text in quotes");
    if (!choices.empty() && std::find(choices.begin(), choices.end(), value) == choices.end())
      complain(*node, fmt::format("{} = \"{}\" is not one of {}{}", key, value, fmt::join(choices, ", "),
                                  suggestion(value, {choices.begin(), choices.end()})));
  }
  void flag(char const* key, bool& value, char const*) override {
    if (auto const* node = find(key)) value = as<bool>(key, *node, "true or false");
  }
  void integer(char const* key, std::int64_t& value, Range range, char const*) override {
    if (auto const* node = find(key)) value = integer_in(key, *node, range);
  }
  void real(char const* key, double& value, Range range, char const*) override {
    auto const* node = find(key);
    if (node == nullptr) return;
    auto const* whole = std::get_if<std::int64_t>(&node->value);
    value = whole != nullptr ? static_cast<double>(*whole) : as<double>(key, *node, "a number");
    expect_range(key, *node, value, range);
  }
  void texts(char const* key, std::vector<std::string>& value, char const*) override {
    auto const* node = find(key);
    if (node == nullptr) return;
    value.clear();
    for (auto const& element : list(key, *node, "a list of texts"))
      value.push_back(as<std::string>(key, element, "a list of texts"));
  }
  void integers(char const* key, std::vector<std::int64_t>& value, Range range, char const*) override {
    auto const* node = find(key);
    if (node == nullptr) return;
    value.clear();
    for (auto const& element : list(key, *node, "a list of whole numbers"))
      value.push_back(integer_in(key, element, range));
  }

  /// After the visit: complains about the first key that no setting has.
  void refuse_unknown() const {
    for (auto const& [key, node] : entries_) {
      if (key.ends_with('.')) {
        if (!known_section(key)) complain(node, fmt::format("unknown section '{}'", key.substr(0, key.size() - 1)));
      } else if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
        complain(node, fmt::format("unknown key '{}'{}", key, suggestion(key, known_)));
      }
    }
  }

 private:
  [[noreturn]] void complain(TomlValue const& node, std::string const& what) const {
    refuse(lines_ ? fmt::format("{}:{}: {}", origin_, node.line, what) : fmt::format("{}: {}", origin_, what));
  }
  TomlValue const* find(char const* key) {
    known_.emplace_back(key);
    auto const found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second;
  }
  template <class T>
  T as(char const* key, TomlValue const& node, char const* expected) const {
    if (auto const* value = std::get_if<T>(&node.value)) return *value;
    complain(node, fmt::format("{} must be {}, not {}", key, expected, node.kind));
  }
  std::vector<TomlValue> list(char const* key, TomlValue const& node, char const* expected) const {
    if (auto const* values = std::get_if<std::vector<TomlValue>>(&node.value)) return *values;
    complain(node, fmt::format("{} must be {}", key, expected));
  }
  std::int64_t integer_in(char const* key, TomlValue const& node, Range range) const {
    auto const value = as<std::int64_t>(key, node, "a whole number");
    expect_range(key, node, static_cast<double>(value), range);
    return value;
  }
  void expect_range(char const* key, TomlValue const& node, double value, Range range) const {
    if (value >= range.low && value <= range.high && (!range.open_low || value != range.low)) return;  // a NaN fails
    complain(node, fmt::format("{} = {} is out of range: it must be {} {}{}", key, value, range.open_low ? ">" : ">=",
                               range.low, std::isfinite(range.high) ? fmt::format(" and <= {}", range.high) : ""));
  }
  /// `section` with its dot.
  bool known_section(std::string_view section) const {
    return std::any_of(known_.begin(), known_.end(), [&](std::string const& key) { return key.starts_with(section); });
  }

  TomlEntries const& entries_;
  std::string origin_;
  bool lines_;
  std::vector<std::string> known_;
};

void apply(TomlEntries const& entries, std::string const& origin, bool lines, Settings& settings) {
  DeckReader reader(entries, origin, lines);
  visit_settings(reader, settings);
  reader.refuse_unknown();
}

TomlEntries parse_override(std::string const& text) {
  auto const equals = text.find('=');
  if (equals == std::string::npos || equals == 0) refuse(fmt::format("--set {}: expected section.name=value", text));
  auto const key = text.substr(0, equals), value = text.substr(equals + 1);
  try {
    return parse_toml(fmt::format("{} = {}", key, value));
  } catch (TomlError const&) {  // a bare word is a text
    try {
      return parse_toml(fmt::format("{} = '{}'", key, value));
    } catch (TomlError const& error) {
      refuse(fmt::format("--set {}: {}", text, error.what()));
    }
  }
}

/// What no single key can tell.
void check_together(Settings const& s, std::string const& path) {
  if (s.exchange.deterministic && s.exchange.method != "dad" && s.exchange.method != "edad")
    refuse(
        fmt::format("{}: exchange.deterministic needs exchange.method = \"dad\" or \"edad\": what \"{}\" forms depends "
                    "on the number of ranks",
                    path, s.exchange.method));
  if (s.exchange.deterministic && s.data.split != "iid")
    refuse(fmt::format(
        "{}: exchange.deterministic needs data.split = \"iid\": by \"{}\", batches depend on the number of ranks", path,
        s.data.split));
  if (s.model.layers.empty() == (s.model.name == "layers"))
    refuse(fmt::format("{}: model.layers {} model.name = \"layers\"", path,
                       s.model.layers.empty() ? "is missing, with" : "needs"));
  auto const& low_rank = s.exchange.low_rank;
  if (low_rank.epsilon > 0 && s.exchange.method == "powersgd")
    refuse(fmt::format("{}: low_rank.epsilon needs exchange.method = \"rank_dad\" or \"power_dad\"", path));
  if (low_rank.epsilon > 0 && s.exchange.method == "rank_dad" && low_rank.pattern != "oneway")
    refuse(fmt::format("{}: low_rank.epsilon needs low_rank.pattern = \"oneway\": what \"{}\" merges is cut again",
                       path, low_rank.pattern));
  if (s.exchange.method == "rank_dad" && low_rank.solver == "author" && (low_rank.epsilon > 0 || low_rank.feedback > 0))
    refuse(fmt::format(
        "{}: low_rank.solver = \"author\" knows no error: low_rank.epsilon and low_rank.feedback must be 0", path));
  if (s.optimiser.nesterov && s.optimiser.method != "sgd")
    refuse(fmt::format("{}: optimiser.nesterov needs optimiser.method = \"sgd\"", path));
  if (s.optimiser.nesterov && s.optimiser.momentum == 0)
    refuse(fmt::format("{}: optimiser.nesterov needs optimiser.momentum > 0", path));
  if (s.probe.per_class && s.probe.every == 0) refuse(fmt::format("{}: probe.per_class needs probe.every > 0", path));
}

template <class Parse>
Settings settings_of(Parse const& parse, std::string const& origin, std::vector<std::string> const& overrides) {
  Settings settings;
  try {
    apply(parse(), origin, true, settings);
  } catch (TomlError const& error) {
    refuse(fmt::format("{}:{}: {}", origin, error.line, error.what()));
  }
  for (auto const& text : overrides) apply(parse_override(text), "--set " + text, false, settings);
  check_together(settings, origin);
  return settings;
}

}  // namespace

Settings read_deck(std::string const& path, std::vector<std::string> const& overrides) {
  std::error_code status;
  if (!std::filesystem::is_regular_file(path, status))
    refuse(fmt::format("{}: {}", path, status ? status.message() : "not a file"));
  return settings_of([&] { return parse_toml_file(path); }, path, overrides);
}

Settings parse_deck(std::string const& deck, std::string const& origin, std::vector<std::string> const& overrides) {
  return settings_of([&] { return parse_toml(deck); }, origin, overrides);
}

}  // namespace minidad
