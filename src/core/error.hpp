// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace minidad {

/// The process exit codes, documented in docs/exit_codes.md.
enum class ExitCode : int {
  done = 0,
  internal = 1,    ///< a bug, or an exception nobody foresaw
  user = 2,        ///< a deck, option or input file is wrong
  run_time = 3,    ///< the run itself failed: replicas diverged, a file could not be written, ...
  stalled = 4,     ///< a collective did not complete in time
  not_finite = 5,  ///< training diverged: a NaN, an infinity, or a loss that exploded
  requeue = 75,    ///< stopped as it was told to, with a checkpoint: start it again (EX_TEMPFAIL of sysexits.h)
};

/// Carries what was expected, what was found, and how the process should end.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, std::string const& what) : std::runtime_error(what), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// Every rank throws this one, with the same text: the job can end in order, without an abort.
class AgreedError : public Error {
  using Error::Error;
};

/// What an exception means to the user: one line, and how the process should end.
struct Failure {
  ExitCode code;
  std::string what;
};
/// Inside a catch block: describes whatever was caught.
Failure describe_current_exception();

/// What the user gave is wrong.
[[noreturn]] void refuse(std::string const& what);

[[noreturn]] void report_bug(std::string_view what, char const* file, int line);
/// For what only a bug can break; throws Error(internal) with the place of the call.
inline void require(bool ok, std::string_view what, char const* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (!ok) report_bug(what, file, line);
}

}  // namespace minidad
