// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "comm/session.hpp"
#include "core/build_info.hpp"
#include "core/error.hpp"
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

int main_on_every_rank(Communicator& comm, int argc, char** argv, std::string const& command) {
  Options options{.deck = {}, .overrides = {}, .command = command};
  CLI::App app(
      "minidad trains neural networks on MPI ranks that exchange backprop statistics instead of gradients.\n"
      "Options --kokkos-* go to Kokkos. Exit codes: 0 done, 1 internal error, 2 something given is wrong, 3 the run "
      "failed.",
      "minidad");
  app.set_version_flag(
      "--version", [&] { return version_text(comm); }, "Print versions and exit");
  app.require_subcommand(1);
  auto const add_common = [&](CLI::App* command_app) {
    command_app->add_option("deck", options.deck, "Deck (TOML)")->required();
    command_app->add_option("--set", options.overrides, "Override a setting: section.name=value (repeatable)")
        ->take_all()
        ->expected(1)
        ->allow_extra_args(false);
  };
  auto* const run_app = app.add_subcommand("run", "Train, and write a run file");
  add_common(run_app);
  run_app->add_option("--progress", options.progress, "How to show progress")
      ->check(CLI::IsMember({"auto", "none", "plain", "bar"}))
      ->capture_default_str();
  auto* const check_app =
      app.add_subcommand("check", "Print the resolved deck, memory and bytes per step; train nothing");
  add_common(check_app);
  check_app->add_option("--ranks", options.check_ranks, "For so many ranks (default: as many as there are)")
      ->check(CLI::Range(1, 1 << 24));

  std::string file;
  auto* const verify_app = app.add_subcommand("verify", "Tell whether a file is complete and undamaged");
  verify_app->add_option("file", file, "A file that minidad has written")->required();

  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    bool const asked = error.get_exit_code() == 0;  // --help, --version
    if (comm.rank() == 0) {
      if (asked) return app.exit(error);
      fmt::print(stderr, "minidad: {} (see minidad --help)\n", error.what());
    }
    return asked ? 0 : static_cast<int>(ExitCode::user);
  }
  if (run_app->parsed()) run(comm, options);
  if (check_app->parsed()) check(comm, options);
  if (verify_app->parsed()) verify(comm, file);
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
