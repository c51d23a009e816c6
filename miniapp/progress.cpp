// SPDX-License-Identifier: BSD-3-Clause
#include "progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace minidad {

namespace {

constexpr double seconds_between_lines = 5;
constexpr double seconds_between_bars = 0.1;
constexpr int bar_width = 24;

bool terminal_can_redraw() {
  char const* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && isatty(STDERR_FILENO) == 1 && term != nullptr && std::string(term) != "dumb";
}

}  // namespace

std::string duration_text(double seconds) {
  auto const s = static_cast<long>(std::max(0.0, std::round(seconds)));
  if (s >= 86400) return fmt::format("{}d {:02}:{:02}:{:02}", s / 86400, s / 3600 % 24, s / 60 % 60, s % 60);
  if (s >= 3600) return fmt::format("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{:02}:{:02}", s / 60, s % 60);
}

Progress::Progress(std::string const& mode, bool speaks, std::int64_t first_step, std::int64_t total_steps,
                   double samples_per_step)
    : first_(static_cast<double>(first_step)),
      total_(static_cast<double>(std::max<std::int64_t>(1, total_steps))),
      samples_per_step_(samples_per_step) {
  mode_ = mode == "plain" ? Mode::plain : mode == "bar" ? Mode::bar : Mode::none;
  if (mode == "auto") mode_ = terminal_can_redraw() ? Mode::bar : Mode::plain;
  if (!speaks) mode_ = Mode::none;
}

void Progress::step(StepRecord const& record) {
  if (mode_ == Mode::none) return;
  auto const now = Clock::now();
  double const since_last = std::chrono::duration<double>(now - last_).count();
  if (since_last < (mode_ == Mode::bar ? seconds_between_bars : seconds_between_lines)) return;
  last_ = now;
  double const elapsed = std::chrono::duration<double>(now - start_).count();
  double const step = static_cast<double>(record.step), here = step - first_, done = step / total_;
  auto const text = fmt::format("step {:>6}  {:3.0f} %  {:7.0f} samples/s  loss {:.4f}  accuracy {:5.2f} %  ETA {}",
                                record.step, 100 * done, here * samples_per_step_ / elapsed, record.loss,
                                100 * record.accuracy, duration_text(elapsed / here * (total_ - step)));
  if (mode_ == Mode::plain) {
    fmt::print("{}\n", text);
  } else {
    auto const filled = static_cast<int>(done * bar_width);
    fmt::print("\r\033[K[{}{}] {}", std::string(static_cast<std::size_t>(filled), '='),
               std::string(static_cast<std::size_t>(bar_width - filled), ' '), text);
    drawn_ = true;
  }
  std::fflush(stdout);
}

void Progress::clear_bar() {
  if (drawn_) fmt::print("\r\033[K");
  drawn_ = false;
}

void Progress::note(std::string const& text) {
  if (mode_ == Mode::none) return;
  clear_bar();
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

void Progress::epoch(EpochRecord const& record) {
  if (mode_ == Mode::none) return;
  clear_bar();
  fmt::print("epoch {:>3}  test loss {:.4f}  test accuracy {:5.2f} %  training time {}\n", record.epoch,
             record.test_loss, 100 * record.test_accuracy, duration_text(record.training_seconds));
  std::fflush(stdout);
}

}  // namespace minidad
