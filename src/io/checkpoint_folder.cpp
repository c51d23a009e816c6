// SPDX-License-Identifier: BSD-3-Clause
#include "io/checkpoint_folder.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>

#include "core/error.hpp"

namespace minidad {

namespace fs = std::filesystem;

namespace {

struct Name {
  std::string stem;
  std::int64_t step;
  bool temporary;  // being written, or left behind
};

/// None: not the name of a checkpoint.
std::optional<Name> parse_name(std::string text) {
  constexpr std::string_view mark = ".step", end = ".h5", unfinished = ".tmp";
  constexpr std::size_t digits = 12;
  bool const temporary = text.ends_with(unfinished);
  if (temporary) text.resize(text.size() - unfinished.size());
  if (!text.ends_with(end) || text.size() <= mark.size() + digits + end.size()) return std::nullopt;
  text.resize(text.size() - end.size());
  auto const number = text.substr(text.size() - digits);
  std::int64_t step = 0;
  auto const [last, status] = std::from_chars(number.data(), number.data() + digits, step);
  text.resize(text.size() - digits);
  if (status != std::errc() || last != number.data() + digits || step < 0 || !text.ends_with(mark)) return std::nullopt;
  text.resize(text.size() - mark.size());
  return Name{text, step, temporary};
}

template <class F>
void for_each_name(std::string const& folder, F const& body) {
  std::error_code status;
  for (fs::directory_iterator entry(folder, status), end; !status && entry != end; entry.increment(status))
    if (auto const name = parse_name(entry->path().filename().string())) body(*name, entry->path().string());
}

}  // namespace

CheckpointFolder::CheckpointFolder(std::string folder, std::string stem)
    : folder_(folder.empty() ? "." : std::move(folder)), stem_(std::move(stem)) {}

std::string CheckpointFolder::path(std::int64_t step) const {
  return (fs::path(folder_) / fmt::format("{}.step{:012}.h5", stem_, step)).string();
}

std::vector<CheckpointFolder::Entry> CheckpointFolder::list() const {
  std::vector<Entry> found;
  for_each_name(folder_, [&](Name const& name, std::string const& path) {
    if (name.stem == stem_ && !name.temporary) found.push_back({name.step, path});
  });
  std::sort(found.begin(), found.end(), [](Entry const& a, Entry const& b) { return a.step > b.step; });
  return found;
}

void CheckpointFolder::prepare() const {
  std::error_code status;
  fs::create_directories(folder_, status);
  if (status) refuse(fmt::format("checkpoint folder {} cannot be made: {}", folder_, status.message()));
  for_each_name(folder_, [&](Name const& name, std::string const& path) {
    if (name.stem == stem_ && name.temporary) fs::remove(path, status);
  });
  auto const attempt = path(0) + ".tmp";
  if (!std::ofstream(attempt)) refuse(fmt::format("nothing can be written to the checkpoint folder {}", folder_));
  fs::remove(attempt, status);
}

void CheckpointFolder::rotate(std::int64_t step, std::int64_t keep) const {
  std::error_code status;
  for (auto const& [when, path] : list())
    if (when <= step && keep-- <= 0) fs::remove(path, status);
}

void CheckpointFolder::set_aside(std::string const& path, std::string const& why) {
  std::error_code status;
  fs::rename(path, path + "." + why, status);
}

std::string CheckpointFolder::only_stem(std::string const& folder) {
  std::set<std::string> stems;
  for_each_name(folder, [&](Name const& name, std::string const&) {
    if (!name.temporary && !name.stem.ends_with(".evidence")) stems.insert(name.stem);
  });
  if (stems.empty()) refuse(fmt::format("there is no checkpoint in {}", folder));
  if (stems.size() > 1)
    refuse(fmt::format("the checkpoints in {} are of several runs: {}; name a file", folder, fmt::join(stems, ", ")));
  return *stems.begin();
}

}  // namespace minidad
