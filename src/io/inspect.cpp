// SPDX-License-Identifier: BSD-3-Clause
#include "io/inspect.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>

#include "core/error.hpp"
#include "io/file_tree.hpp"
#include "io/seal.hpp"

namespace minidad {

namespace {

Handle open_any(std::string const& path) {
  prepare_hdf5();
  std::error_code status;
  if (!std::filesystem::is_regular_file(path, status))
    refuse(fmt::format("{}: {}", path, status ? status.message() : "not a file"));
  try {
    return open_to_read(path);
  } catch (Error const&) {
    refuse(fmt::format("{}: not an HDF5 file, or one that is cut short", path));
  }
}

/// With the file's name in what goes wrong.
std::vector<TreeEntry> entries_of(hid_t file, std::string const& path) {
  try {
    return datasets_in(file);
  } catch (Error const& error) {
    refuse(fmt::format("{}: {}", path, error.what()));
  }
}

std::string sizes_text(TreeEntry const& entry) {
  return entry.sizes.empty() ? "one value" : fmt::format("{}", fmt::join(entry.sizes, " x "));
}

/// The one value, or the range.
std::string numbers_text(hid_t file, TreeEntry const& entry) {
  Number low = std::numeric_limits<Number>::infinity(), high = -low, last = 0;
  std::size_t count = 0, bad = 0;
  NumberStream stream(file, entry);
  for (auto values = stream.next(); !values.empty(); values = stream.next())
    for (auto const value : values) {
      ++count;
      last = value;
      bad += std::isfinite(value) ? 0 : 1;
      if (!std::isfinite(value)) continue;
      low = std::min(low, value);
      high = std::max(high, value);
    }
  bool const real = entry.type.starts_with("float");
  auto const text = [&](Number value) {
    return real ? fmt::format("{:.6g}", static_cast<double>(value)) : fmt::format("{:.0f}", value);
  };
  if (count == 1) return std::isfinite(last) ? text(last) : "not finite";
  auto const range = count > bad ? fmt::format("{} ... {}", text(low), text(high)) : std::string();
  return bad == 0 ? range : fmt::format("{} ({} of {} not finite)", range, bad, count);
}

std::string one_line(std::string text) {
  constexpr std::size_t most = 60;
  auto const lines = std::count(text.begin(), text.end(), '\n');
  text = text.substr(0, text.find('\n'));
  if (text.size() > most) text = text.substr(0, most) + "...";
  return lines > 1 ? fmt::format("{} ... ({} lines)", text, lines) : text;
}

std::string content_text(hid_t file, TreeEntry const& entry) {
  switch (entry.kind) {
    case TreeEntry::Kind::numbers: return numbers_text(file, entry);
    case TreeEntry::Kind::texts: {
      std::vector<std::string> lines;
      for (auto const& text : texts_of(file, entry)) lines.push_back(one_line(text));
      return fmt::format("{}", fmt::join(lines, " | "));
    }
    case TreeEntry::Kind::axis: return "an axis";
    case TreeEntry::Kind::other: return "not looked at";
  }
  return "";
}

std::string seal_text(std::string const& path) {
  try {
    verify_seal(path);
    return "complete and undamaged";
  } catch (Error const& error) {
    return std::string(error.what()).substr(path.size() + 2);
  }
}

bool is_of_this_time(std::string const& path) {
  return path.starts_with("provenance/") || path.find("seconds") != std::string::npos ||
         path == "summary/samples_per_second" || path == "summary/peak_memory";
}

/// Two datasets of the same sizes. Empty: they are the same.
std::string compare_numbers(NumberStream a, NumberStream b, double tolerance) {
  std::size_t count = 0, different = 0;
  Number largest = 0;
  for (auto x = a.next(), y = b.next(); !x.empty(); x = a.next(), y = b.next())
    for (std::size_t i = 0; i < x.size(); ++i, ++count) {
      if (x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]))) continue;
      auto const relative = std::abs(x[i] - y[i]) / std::max(std::abs(x[i]), std::abs(y[i]));
      if (relative <= static_cast<Number>(tolerance)) continue;
      ++different;
      largest = std::isnan(relative) ? static_cast<Number>(INFINITY) : std::max(largest, relative);
    }
  if (different == 0) return "";
  return fmt::format("{} of {} values differ, relatively by up to {:.3g}", different, count,
                     static_cast<double>(largest));
}

/// Empty: they are the same.
std::string compare_entries(hid_t a, TreeEntry const& x, hid_t b, TreeEntry const& y, double tolerance) {
  if (x.type != y.type || x.sizes != y.sizes || x.kind != y.kind)
    return fmt::format("{} {}, {} {}", x.type, sizes_text(x), y.type, sizes_text(y));
  if (x.kind == TreeEntry::Kind::numbers) return compare_numbers({a, x}, {b, y}, tolerance);
  if (x.kind == TreeEntry::Kind::texts && texts_of(a, x) != texts_of(b, y)) return "the texts differ";
  return "";
}

}  // namespace

std::string describe_file(std::string const& path) {
  auto const file = open_any(path);
  auto const schema = root_text(file.get(), "schema_name");
  auto text =
      fmt::format("file      {} ({} bytes)\nschema    {} {}\nstate     {}\n", path, std::filesystem::file_size(path),
                  schema.empty() ? "none" : schema, root_text(file.get(), "schema_version"), seal_text(path));
  for (auto const& entry : entries_of(file.get(), path))
    text += fmt::format("{:<44} {:<8} {:<14} {}\n", entry.path, entry.type, sizes_text(entry),
                        content_text(file.get(), entry));
  return text;
}

std::vector<std::string> compare_files(std::string const& a, std::string const& b, CompareSettings const& settings) {
  auto const file_a = open_any(a), file_b = open_any(b);
  struct Pair {
    std::optional<TreeEntry> a, b;
  };
  std::map<std::string, Pair> pairs;
  for (auto const& entry : entries_of(file_a.get(), a)) pairs[entry.path].a = entry;
  for (auto const& entry : entries_of(file_b.get(), b)) pairs[entry.path].b = entry;
  std::vector<std::string> lines;
  for (auto const& [path, pair] : pairs) {
    if (!settings.everything && is_of_this_time(path)) continue;
    auto const difference = !pair.a || !pair.b
                                ? fmt::format("only in {}", pair.a ? a : b)
                                : compare_entries(file_a.get(), *pair.a, file_b.get(), *pair.b, settings.tolerance);
    if (!difference.empty()) lines.push_back(fmt::format("{}: {}", path, difference));
  }
  return lines;
}

}  // namespace minidad
