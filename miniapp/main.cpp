// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "comm/session.hpp"
#include "core/build_info.hpp"
#include "core/error.hpp"
#include "io/inspect.hpp"
#include "io/seal.hpp"
#include "options.hpp"
#include "provenance.hpp"

namespace minidad {

namespace {

std::string joined(int argc, char** argv) { return fmt::format("{}", fmt::join(argv, argv + argc, " ")); }

void verify(Communicator& comm, std::string const& file) {
  comm.agree([&] {
    if (comm.rank() == 0) verify_seal(file);
  });
  if (comm.rank() == 0) fmt::print("{}: complete and undamaged\n", file);
}

/// One setting a line, with tabs between its parts: for scripts, which make the reference and the completion from it.
void list(Communicator const& comm) {
  if (comm.rank() != 0) return;
  for (auto const& s : list_settings()) fmt::print("{}\t{}\t{}\t{}\t{}\n", s.key, s.type, s.value, s.allowed, s.help);
}

void inspect(Communicator& comm, std::string const& file) {
  comm.agree([&] {
    if (comm.rank() == 0) fmt::print("{}", describe_file(file));
  });
}

int diff(Communicator& comm, std::string const& a, std::string const& b, CompareSettings const& settings) {
  std::vector<std::string> lines;
  comm.agree([&] {
    if (comm.rank() == 0) lines = compare_files(a, b, settings);
  });
  for (auto const& line : lines) fmt::print("{}\n", line);
  std::int64_t count[1] = {static_cast<std::int64_t>(lines.size())};
  comm.sum(std::span<std::int64_t>(count));
  return count[0] > 0 ? 1 : 0;
}

int main_on_every_rank(Communicator& comm, int argc, char** argv, std::string const& command) {
  Options options;
  options.command = command;
  CLI::App app(
      "minidad trains neural networks on MPI ranks that exchange backprop statistics instead of gradients.\n"
      "Options --kokkos-* go to Kokkos. Exit codes: 0 done, 1 internal error, 2 something given is wrong, 3 the run "
      "failed, 5 training diverged, 75 stopped with a checkpoint: start it again.",
      "minidad");
  app.set_version_flag(
      "--version", [&] { return version_text(comm); }, "Print versions and exit");
  app.require_subcommand(1);
  auto const add_common = [&](CLI::App* command_app, char const* about_deck) {
    auto* const deck = command_app->add_option("deck", options.deck, about_deck);
    command_app->add_option("--set", options.overrides, "Override a setting: section.name=value (repeatable)")
        ->take_all()
        ->expected(1)
        ->allow_extra_args(false);
    return deck;
  };
  auto* const run_app = app.add_subcommand("run", "Train, and write a run file");
  auto* const run_deck = add_common(run_app, "Deck (TOML); with --restart it may be missing: checkpoints hold theirs");
  auto* const restart =
      run_app->add_option("--restart", options.restart, "Go on from a checkpoint: latest, a file, or a folder");
  run_app->add_option("--progress", options.progress, "How to show progress")
      ->check(CLI::IsMember({"auto", "none", "plain", "bar"}))
      ->capture_default_str();
  run_app->add_option("--time-limit", options.time_limit,
                      "HH:MM:SS after the start: write a checkpoint and end with exit code 75");
  auto* const check_app =
      app.add_subcommand("check", "Print the resolved deck, memory and bytes per step; train nothing");
  add_common(check_app, "Deck (TOML)")->required();
  check_app->add_option("--ranks", options.check_ranks, "For so many ranks (default: as many as there are)")
      ->check(CLI::Range(1, 1 << 24));
  auto* const settings_app =
      app.add_subcommand("settings", "Print every setting: key, type, default, what it may be, meaning; tabs between");

  std::string file, other;
  auto* const inspect_app = app.add_subcommand("inspect", "Print what a run file or checkpoint holds");
  inspect_app->add_option("file", file, "An HDF5 file, complete or not")->required();
  CompareSettings compare;
  auto* const diff_app = app.add_subcommand("diff", "Compare two files; exit code 0: the same, 1: they differ");
  diff_app->add_option("a", file, "A run file or checkpoint")->required();
  diff_app->add_option("b", other, "Another")->required();
  diff_app->add_option("--tol", compare.tolerance, "Relative difference of numbers that is none")
      ->check(CLI::NonNegativeNumber);
  diff_app->add_flag("--all", compare.everything, "Compare provenance and times as well");
  auto* const verify_app = app.add_subcommand("verify", "Tell whether a file is complete and undamaged");
  verify_app->add_option("file", file, "A file that minidad has written")->required();

  try {
    app.parse(argc, argv);
    if (run_app->parsed() && run_deck->empty() && restart->empty()) throw CLI::RequiredError("deck");
  } catch (CLI::ParseError const& error) {
    bool const asked = error.get_exit_code() == 0;  // --help, --version
    if (comm.rank() == 0) {
      if (asked) return app.exit(error);
      fmt::print(stderr, "minidad: {} (see minidad --help)\n", error.what());
    }
    return asked ? 0 : static_cast<int>(ExitCode::user);
  }
  if (run_app->parsed()) return static_cast<int>(run(comm, options));
  if (check_app->parsed()) check(comm, options);
  if (settings_app->parsed()) list(comm);
  if (verify_app->parsed()) verify(comm, file);
  if (inspect_app->parsed()) inspect(comm, file);
  if (diff_app->parsed()) return diff(comm, file, other, compare);
  return static_cast<int>(ExitCode::done);
}

}  // namespace

}  // namespace minidad

int main(int argc, char** argv) {
  auto const command = minidad::joined(argc, argv);  // before Kokkos takes its arguments out
  return minidad::run_session(argc, argv, [&](minidad::Communicator& comm, int n, char** args) {
    return minidad::main_on_every_rank(comm, n, args, command);
  });
}
