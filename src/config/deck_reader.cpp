// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <toml++/toml.h>
#include <algorithm>
#include <cmath>
#include <filesystem>

#include "config/settings.hpp"
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

/// Takes the settings that one TOML table holds, and refuses what it does not know.
class DeckReader final : public SettingsVisitor {
 public:
  /// `origin` names the source; `lines`: whether line numbers in it mean anything to the user.
  DeckReader(toml::table const& table, std::string origin, bool lines)
      : table_(table), origin_(std::move(origin)), lines_(lines) {}

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
    value = node->is_integer() ? static_cast<double>(*node->value<std::int64_t>()) : as<double>(key, *node, "a number");
    expect_range(key, *node, value, range);
  }
  void texts(char const* key, std::vector<std::string>& value, char const*) override {
    auto const* node = find(key);
    if (node == nullptr) return;
    if (!node->is_array()) complain(*node, fmt::format("{} must be a list of texts", key));
    value.clear();
    for (auto const& element : *node->as_array()) value.push_back(as<std::string>(key, element, "a list of texts"));
  }
  void integers(char const* key, std::vector<std::int64_t>& value, Range range, char const*) override {
    auto const* node = find(key);
    if (node == nullptr) return;
    if (!node->is_array()) complain(*node, fmt::format("{} must be a list of whole numbers", key));
    value.clear();
    for (auto const& element : *node->as_array()) value.push_back(integer_in(key, element, range));
  }

  /// After the visit: complains about the first key that no setting has.
  void refuse_unknown() const {
    for (auto const& [section, content] : table_) {
      if (!content.is_table()) refuse_unless_known(std::string(section.str()), content);
      if (auto const* table = content.as_table())
        for (auto const& [name, node] : *table)
          refuse_unless_known(fmt::format("{}.{}", section.str(), name.str()), node);
      if (content.is_table() && content.as_table()->empty() && !known_section(section.str()))
        complain(content, fmt::format("unknown section '{}'", section.str()));
    }
  }

 private:
  [[noreturn]] void complain(toml::node const& node, std::string const& what) const {
    refuse(lines_ ? fmt::format("{}:{}: {}", origin_, node.source().begin.line, what)
                  : fmt::format("{}: {}", origin_, what));
  }
  toml::node const* find(char const* key) {
    known_.emplace_back(key);
    return table_.at_path(key).node();
  }
  template <class T>
  T as(char const* key, toml::node const& node, char const* expected) const {
    if (!node.is<T>()) complain(node, fmt::format("{} must be {}, not {}", key, expected, kind(node)));
    return *node.value<T>();
  }
  std::int64_t integer_in(char const* key, toml::node const& node, Range range) const {
    auto const value = as<std::int64_t>(key, node, "a whole number");
    expect_range(key, node, static_cast<double>(value), range);
    return value;
  }
  void expect_range(char const* key, toml::node const& node, double value, Range range) const {
    if (value >= range.low && value <= range.high && !(range.open_low && value == range.low)) return;  // a NaN fails
    complain(node, fmt::format("{} = {} is out of range: it must be {} {}{}", key, value, range.open_low ? ">" : ">=",
                               range.low, std::isfinite(range.high) ? fmt::format(" and <= {}", range.high) : ""));
  }
  static char const* kind(toml::node const& node) {
    if (node.is_string()) return "a text";
    if (node.is_boolean()) return "true or false";
    if (node.is_integer()) return "a whole number";
    if (node.is_floating_point()) return "a number with a fraction";
    if (node.is_array()) return "a list";
    if (node.is_table()) return "a table";
    return "a date or time";
  }
  bool known_section(std::string_view section) const {
    return std::any_of(known_.begin(), known_.end(),
                       [&](std::string const& key) { return key.starts_with(section) && key[section.size()] == '.'; });
  }
  void refuse_unless_known(std::string const& key, toml::node const& node) const {
    if (std::find(known_.begin(), known_.end(), key) == known_.end())
      complain(node, fmt::format("unknown key '{}'{}", key, suggestion(key, known_)));
  }

  toml::table const& table_;
  std::string origin_;
  bool lines_;
  std::vector<std::string> known_;
};

void apply(toml::table const& table, std::string const& origin, bool lines, Settings& settings) {
  DeckReader reader(table, origin, lines);
  visit_settings(reader, settings);
  reader.refuse_unknown();
}

toml::table parse_override(std::string const& text) {
  auto const equals = text.find('=');
  if (equals == std::string::npos || equals == 0) refuse(fmt::format("--set {}: expected section.name=value", text));
  auto const key = text.substr(0, equals), value = text.substr(equals + 1);
  try {
    return toml::parse(fmt::format("{} = {}", key, value));
  } catch (toml::parse_error const&) {  // a bare word is a text
    try {
      return toml::parse(fmt::format("{} = '{}'", key, value));
    } catch (toml::parse_error const& error) {
      refuse(fmt::format("--set {}: {}", text, error.description()));
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

}  // namespace

namespace {

template <class Parse>
Settings settings_of(Parse const& parse, std::string const& origin, std::vector<std::string> const& overrides) {
  Settings settings;
  try {
    apply(parse(), origin, true, settings);
  } catch (toml::parse_error const& error) {
    refuse(fmt::format("{}:{}: {}", origin, error.source().begin.line, error.description()));
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
  return settings_of([&] { return toml::parse_file(path); }, path, overrides);
}

Settings parse_deck(std::string const& deck, std::string const& origin, std::vector<std::string> const& overrides) {
  return settings_of([&] { return toml::parse(deck); }, origin, overrides);
}

}  // namespace minidad
