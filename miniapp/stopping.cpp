// SPDX-License-Identifier: BSD-3-Clause
#include "stopping.hpp"

#include <fmt/format.h>

#include <charconv>
#include <csignal>

#include "core/error.hpp"

namespace minidad {

namespace {

volatile std::sig_atomic_t received = 0;
auto const process_start = std::chrono::steady_clock::now();

void remember(int signal) { received = signal; }

void listen(int signal, bool once) {
  struct sigaction action {};
  action.sa_handler = remember;
  action.sa_flags = SA_RESTART | (once ? static_cast<int>(SA_RESETHAND) : 0);
  sigaction(signal, &action, nullptr);
}

}  // namespace

Stopping::Stopping(double seconds, std::string const& folder, bool watches)
    : seconds_(seconds), request_(std::filesystem::path(folder) / "checkpoint_now"), watches_(watches) {
  listen(SIGTERM, false);
  listen(SIGUSR1, false);
  listen(SIGINT, true);
}

Wishes Stopping::wishes() {
  auto const now = Clock::now();
  if (watches_ && now >= next_look_) {
    next_look_ = now + std::chrono::seconds(1);  // a folder may be far away
    std::error_code status;
    asked_ = std::filesystem::exists(request_, status);
  }
  if (watches_ && seconds_ > 0 && !out_of_time_)
    out_of_time_ = std::chrono::duration<double>(now - process_start).count() >= seconds_;
  return {.stop = received != 0 || out_of_time_, .save = asked_};
}

void Stopping::saved() {
  std::error_code status;
  if (asked_) std::filesystem::remove(request_, status);
  asked_ = false;
}

std::string Stopping::reason() const {
  if (out_of_time_) return "the time limit";
  switch (received) {
    case SIGTERM: return "SIGTERM";
    case SIGUSR1: return "SIGUSR1";
    case SIGINT: return "SIGINT";
    default: return "";
  }
}

double seconds_of(std::string const& duration) {
  double seconds = 0;
  char const* at = duration.data();
  char const* const end = at + duration.size();
  for (int parts = 1;; ++parts) {
    unsigned value = 0;
    auto const [next, status] = std::from_chars(at, end, value);
    bool const more = next != end && *next == ':' && parts < 3;
    if (status != std::errc() || (next != end && !more)) break;
    seconds = 60 * seconds + value;
    if (!more) return seconds;
    at = next + 1;
  }
  refuse(fmt::format("'{}' is not a duration: HH:MM:SS, MM:SS or seconds", duration));
}

}  // namespace minidad
