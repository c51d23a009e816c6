// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "config/settings.hpp"
#include "core/error.hpp"

namespace minidad {

/// The command line.
struct Options {
  std::string deck;
  std::vector<std::string> overrides;  ///< of --set
  std::string progress = "auto";       ///< none, plain, bar or auto
  int check_ranks = 0;                 ///< `check` for so many ranks; 0: as many as there are
  std::string time_limit;              ///< "HH:MM:SS" from the start of the process; empty: none
  std::string restart;                 ///< empty, "latest", a file or a folder
  std::string command;                 ///< as it was typed, for the run file
};

/// `minidad run`: trains. Returns after the run file is complete.
ExitCode run(Communicator& comm, Options const& options);

/// `minidad check`: prints what a run would be and cost.
void check(Communicator& comm, Options const& options);

/// Reads the deck on every rank, and makes sure that they read the same.
Settings agreed_settings(Communicator& comm, Options const& options);

/// What the two commands both need to know of the data before it is read.
struct Problem {
  DatasetSize train{}, test{};
  Model model{SampleShape{}};
  std::size_t row_block = 1;  ///< rows whose products are formed together; 1: no blocks
};
/// What the model stands between.
ModelEnds model_ends(DatasetSize const& data);

/// Throws Error(user) when the data does not fit the settings or the ranks.
Problem pose_problem(Settings const& settings, int ranks);

/// Samples [first, last) of `total` that a rank evaluates: its part, or all when it is not a replica of the others.
struct Stretch {
  std::size_t first, last;
};
Stretch test_stretch(std::size_t total, int rank, int ranks, bool replicates);

}  // namespace minidad
