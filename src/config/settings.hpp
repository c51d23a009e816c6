// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <limits>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "exchange/exchange.hpp"
#include "nn/models.hpp"
#include "train/trainer.hpp"

namespace minidad {

struct OutputSettings {
  std::string file = "run.h5";
  bool overwrite = false;
  double show_seconds = 10;  ///< between looks that others can have at a run that goes on; 0: after epochs only
};

struct CheckpointSettings {
  std::int64_t every = 0;  ///< steps; 0: none but those that are asked for
  std::int64_t keep = 3;   ///< newest ones; older ones go
  std::string folder;      ///< empty: that of the run file
};

/// What to do when training diverges.
struct FailureSettings {
  std::string policy = "stop";  ///< one of policy_names
  double rollback_rate = 0.5;   ///< "rollback": what the learning rate is multiplied by, each time
  std::int64_t rollbacks = 3;   ///< "rollback": so many times at most
  double stall_seconds = 600;   ///< waits longer than that end the job, see Communicator::set_stall_limit; 0: none do
};
inline constexpr std::array<char const*, 2> policy_names{"stop", "rollback"};

struct CommSettings {
  std::string transfer = "staged";
};
inline constexpr std::array<char const*, 2> transfer_names{"staged", "device"};

/// Everything that a deck can say.
struct Settings {
  DataSettings data;
  NetworkSettings model;
  TrainingSettings training;
  OptimiserSettings optimiser;
  ScheduleSettings schedule;
  ExchangeSettings exchange;
  ProbeSettings probe;
  CommSettings comm;
  OutputSettings output;
  CheckpointSettings checkpoint;
  FailureSettings failure;
};

/// The numbers a setting may take.
struct Range {
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
  bool open_low = false;  ///< `low` itself is out
};

/// Sees every setting by its key ("section.name"): the deck reader fills them in, the writer prints them, and the list
/// of options is made from them. That is why visit_settings is the only place that knows the keys.
class SettingsVisitor {
 public:
  using Choices = std::span<char const* const>;
  virtual ~SettingsVisitor() = default;
  virtual void text(char const* key, std::string& value, char const* help, Choices choices = {}) = 0;
  virtual void flag(char const* key, bool& value, char const* help) = 0;
  virtual void integer(char const* key, std::int64_t& value, Range range, char const* help) = 0;
  virtual void real(char const* key, double& value, Range range, char const* help) = 0;
  virtual void texts(char const* key, std::vector<std::string>& value, char const* help) = 0;
  virtual void integers(char const* key, std::vector<std::int64_t>& value, Range range, char const* help) = 0;
};

void visit_settings(SettingsVisitor& visitor, Settings& settings);

/// A setting in words.
struct SettingEntry {
  std::string key, type, value;  ///< the default, as a deck would write it
  std::string allowed;           ///< words or bounds; empty: anything of the type
  std::string help;
};
/// All of them, with their defaults: what the reference is made from.
std::vector<SettingEntry> list_settings();

/// Reads a TOML deck, then applies `overrides` ("section.name=value") in order. Throws Error(user) with the file and
/// line, or the override, for a missing file, bad syntax, an unknown key (with the nearest known one), a wrong type, a
/// value out of range, and settings that contradict each other.
Settings read_deck(std::string const& path, std::vector<std::string> const& overrides);

/// The same for a deck that is at hand; `origin` names it in complaints.
Settings parse_deck(std::string const& deck, std::string const& origin, std::vector<std::string> const& overrides);

/// A setting that two decks give different values, as a deck would write them.
struct Difference {
  std::string key, before, after;
};
std::vector<Difference> differences(Settings const& before, Settings const& after);

/// The settings as a deck with every key and its meaning; reading it gives the same settings again.
std::string resolved_deck(Settings const& settings);

}  // namespace minidad
