// SPDX-License-Identifier: BSD-3-Clause
#include "core/error.hpp"

#include <fmt/format.h>

#include <new>

namespace minidad {

Failure describe_current_exception() {
  try {
    throw;
  } catch (Error const& error) {
    return {error.code(), error.what()};
  } catch (std::bad_alloc const&) {
    return {ExitCode::run_time, "out of memory"};
  } catch (std::exception const& error) {
    std::string const text = error.what(), first_line = text.substr(0, text.find('\n'));
    // Kokkos tells a failed allocation by a plain std::runtime_error in 3.4, with words alone.
    if (text.starts_with("Kokkos") && text.find("allocate") != std::string::npos)
      return {ExitCode::run_time, "out of memory: " + first_line};
    return {ExitCode::internal, first_line};
  } catch (...) {
    return {ExitCode::internal, "an unknown exception"};
  }
}

void refuse(std::string const& what) { throw Error(ExitCode::user, what); }

void report_bug(std::string_view what, char const* file, int line) {
  throw Error(ExitCode::internal, fmt::format("{} ({}:{})", what, file, line));
}

}  // namespace minidad
