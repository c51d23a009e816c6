// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "config/problem.hpp"
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

}  // namespace minidad
