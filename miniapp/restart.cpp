// SPDX-License-Identifier: BSD-3-Clause
#include "restart.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "core/error.hpp"

namespace minidad {

namespace fs = std::filesystem;

namespace {

/// Rank 0's text, on all ranks.
void share(Communicator& comm, std::string& text) {
  std::int64_t size[1] = {comm.rank() == 0 ? static_cast<std::int64_t>(text.size()) : 0};
  comm.broadcast(std::as_writable_bytes(std::span(size)));
  text.resize(static_cast<std::size_t>(size[0]));
  comm.broadcast(std::as_writable_bytes(std::span(text)));
}

/// The newest checkpoint that is whole; null: there is none.
std::unique_ptr<Checkpoint> newest(Communicator& comm, CheckpointFolder const& folder) {
  std::vector<CheckpointFolder::Entry> entries;
  if (comm.rank() == 0) entries = folder.list();
  std::int64_t count[1] = {static_cast<std::int64_t>(entries.size())};
  comm.broadcast(std::as_writable_bytes(std::span(count)));
  for (std::int64_t i = 0; i < count[0]; ++i) {
    auto path = comm.rank() == 0 ? entries[static_cast<std::size_t>(i)].path : "";
    share(comm, path);
    try {
      return std::make_unique<Checkpoint>(comm, path);
    } catch (AgreedError const& error) {
      if (comm.rank() != 0) continue;
      fmt::print(stderr, "minidad: {}; it is set aside (suffix .damaged), and an older one is used\n", error.what());
      CheckpointFolder::set_aside(path, "damaged");
    }
  }
  return nullptr;
}

/// "latest" and folders mean the newest one in a folder.
std::unique_ptr<Checkpoint> newest_in(Communicator& comm, std::string const& folder) {
  std::string stem;
  comm.agree([&] {
    if (comm.rank() == 0) stem = CheckpointFolder::only_stem(folder);
  });
  share(comm, stem);
  auto found = newest(comm, {folder, stem});
  if (!found) throw AgreedError(ExitCode::user, fmt::format("no checkpoint in {} is whole", folder));
  return found;
}

std::unique_ptr<Checkpoint> find(Communicator& comm, std::string const& wish, Settings const* settings) {
  if (wish == "latest" && settings != nullptr) return newest(comm, checkpoint_folder(*settings));
  if (wish == "latest") return newest_in(comm, ".");
  std::error_code status;
  if (fs::is_directory(wish, status)) return newest_in(comm, wish);
  return std::make_unique<Checkpoint>(comm, wish);
}

bool starts_with_any(std::string const& key, std::initializer_list<char const*> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(), [&](char const* text) { return key.starts_with(text); });
}

/// Whether with another value the same state would mean something else.
bool is_fixed(std::string const& key) {
  bool const path = key.ends_with("_images") || key.ends_with("_labels") || key.ends_with("_files");
  return starts_with_any(key, {"model.", "data.", "training.batch", "training.seed"}) && !path;
}

std::vector<std::string> begun_anew(std::vector<Difference> const& changes, Settings const& before,
                                    Settings const& after) {
  std::vector<std::string> groups;
  auto const changed = [&](std::initializer_list<char const*> sections) {
    return std::any_of(changes.begin(), changes.end(),
                       [&](Difference const& change) { return starts_with_any(change.key, sections); });
  };
  if (changed({"exchange.", "low_rank."})) groups.emplace_back("exchange");
  if (changed({"probe."})) groups.emplace_back("probe");
  if (state_per_parameter(before.optimiser) != state_per_parameter(after.optimiser)) groups.emplace_back("optimiser");
  return groups;
}

/// Refuses what cannot be gone on with.
void expect_same_problem(std::vector<Difference> const& changes, Settings const& settings, int former, int now) {
  std::vector<std::string> fixed;
  for (auto const& [key, before, after] : changes)
    if (is_fixed(key)) fixed.push_back(fmt::format("{} was {}, now {}", key, before, after));
  if (!fixed.empty())
    refuse(
        fmt::format("a restart cannot change the data, the model, the batch or the seed: {}", fmt::join(fixed, "; ")));
  if (former == now) return;
  char const* why = settings.exchange.method == "none" ? "exchange.method = \"none\" trains a model on each"
                    : settings.data.split != "iid"     ? "data.split gives each samples of its own"
                                                       : nullptr;
  if (why != nullptr) refuse(fmt::format("this run must go on with {} ranks, not {}: {}", former, now, why));
}

void report(Communicator const& comm, Checkpoint const& checkpoint, std::vector<Difference> const& changes,
            std::vector<std::string> const& anew) {
  if (comm.rank() != 0) return;
  fmt::print("restart   from {}, written by {} ranks\n", checkpoint.path(), checkpoint.ranks());
  for (auto const& [key, before, after] : changes) fmt::print("changed   {}: {} -> {}\n", key, before, after);
  if (!anew.empty()) fmt::print("anew      state of: {}\n", fmt::join(anew, ", "));
}

}  // namespace

CheckpointFolder checkpoint_folder(Settings const& settings) {
  fs::path const file(settings.output.file);
  auto const& folder = settings.checkpoint.folder;
  auto const stem = file.extension() == ".h5" ? file.stem() : file.filename();
  return {folder.empty() ? file.parent_path().string() : folder, stem.string()};
}

namespace {

/// The checkpoint's settings are those of `result`, or with no deck the other way round.
void compare_settings(Communicator& comm, Options const& options, bool has_deck, Beginning& result) {
  auto const& checkpoint = *result.checkpoint;
  comm.agree([&] {
    auto const before = parse_deck(checkpoint.text("deck"), checkpoint.path(), {});
    if (!has_deck) result.settings = parse_deck(checkpoint.text("deck"), checkpoint.path(), options.overrides);
    auto const changes = differences(before, result.settings);
    expect_same_problem(changes, result.settings, checkpoint.ranks(), comm.size());
    result.begun_anew = begun_anew(changes, before, result.settings);
    report(comm, checkpoint, changes, result.begun_anew);
  });
}

}  // namespace

Beginning settle_beginning(Communicator& comm, Options const& options) {
  Beginning result;
  bool const has_deck = !options.deck.empty();
  if (has_deck) result.settings = agreed_settings(comm, options);
  if (options.restart.empty()) return result;
  result.checkpoint = find(comm, options.restart, has_deck ? &result.settings : nullptr);
  if (result.checkpoint)
    compare_settings(comm, options, has_deck, result);
  else if (comm.rank() == 0)
    fmt::print("restart   there is no checkpoint yet: this run starts afresh\n");
  return result;
}

Beginning take_up_again(Communicator& comm, Settings const& settings) {
  Beginning result{settings, newest(comm, checkpoint_folder(settings)), {}};
  if (result.checkpoint) compare_settings(comm, {}, true, result);
  return result;
}

}  // namespace minidad
