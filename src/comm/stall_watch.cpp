// SPDX-License-Identifier: BSD-3-Clause
#include "comm/stall_watch.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <thread>

#include "comm/communicator_impl.hpp"

namespace minidad {

namespace {

// Notes are empty messages, so that nobody has to keep their content until they have left. The tag says it all: even is
// a question, and odd its answer. MPI allows tags up to 32767 everywhere.
constexpr int questions = (1 << 14) - 1;
constexpr int last_word = 2 * questions + 1;
constexpr double time_to_abort = 60;  // seconds; some launchers need a few

/// Tests a request a few times: reading the clock in between would slow down short waits.
bool completes(MPI_Request& request) {
  int done = 0;
  for (int poll = 0; poll < 32 && !done; ++poll) check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
  return done != 0;
}

std::string in_words(Awaited const& what) {
  auto words = fmt::format("{} of {}", what.collective, what.part);
  return what.last_part == what.part ? words : fmt::format("{} to {}", words, what.last_part);
}

}  // namespace

StallWatch::StallWatch(MPI_Comm parent, double limit)
    : limit_(limit), grace_(std::min(limit / 4, 10.0)), tick_(grace_ / 16) {
  check_mpi(MPI_Comm_dup(parent, &comm_), "MPI_Comm_dup");
  check_mpi(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  MPI_Comm_rank(comm_, &rank_);
  MPI_Comm_size(comm_, &size_);
}

StallWatch::~StallWatch() { MPI_Comm_free(&comm_); }

void StallWatch::wait(MPI_Request& request, Awaited const& what) {
  if (completes(request)) return;
  waited_ = Seconds(0);
  // One after another, so that the lowest rank that waits asks alone; a whole node may be missing, but not for hours.
  ask_at_ = limit_ - grace_ + 2 * tick_ * std::min(rank_, 64);
  answered_.clear();
  Seconds look_at = tick_;
  for (auto last = std::chrono::steady_clock::now(); !completes(request);) {
    std::this_thread::yield();
    auto const now = std::chrono::steady_clock::now();
    waited_ += std::min<Seconds>(now - last, tick_);  // time for which this process was suspended does not count
    last = now;
    if (waited_ < look_at) continue;
    look_at = waited_ + tick_;
    listen();
    if (!asking() && waited_ >= ask_at_) ask();
    if (asking() && waited_ >= report_at_) {
      send_to_all(last_word);
      throw Error(ExitCode::stalled,
                  fmt::format("stalled for {:.3g} s in {}: {}", waited_.count(), in_words(what), missing()));
    }
  }
}

void StallWatch::listen() {
  int there = 0;
  MPI_Status note;
  while (check_mpi(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, comm_, &there, &note), "MPI_Iprobe"), there) {
    int const from = note.MPI_SOURCE, tag = note.MPI_TAG;
    check_mpi(MPI_Recv(nullptr, 0, MPI_BYTE, from, tag, comm_, MPI_STATUS_IGNORE), "MPI_Recv");
    if (tag == last_word) {
      answered_.clear();
      ask_at_ = std::max(ask_at_, waited_ + Seconds(time_to_abort));  // who does not answer any more is not missing
    } else if (tag % 2 == 0) {
      send_note(from, tag + 1);
      leave_it_to(from);
    } else if (asking() && tag / 2 == question_) {
      answered_[static_cast<std::size_t>(from)] = true;
    }
  }
}

/// Nothing may come of the other's question, as its own wait may end: then it is this rank's turn again.
void StallWatch::leave_it_to(int other) {
  if (asking() && other > rank_) return;
  answered_.clear();
  ask_at_ = std::max(ask_at_, waited_ + 2 * grace_);
}

void StallWatch::ask() {
  question_ = (question_ + 1) % questions;
  report_at_ = waited_ + grace_;
  answered_.assign(static_cast<std::size_t>(size_), false);
  answered_[static_cast<std::size_t>(rank_)] = true;
  send_to_all(2 * question_);
}

void StallWatch::send_to_all(int tag) const {
  for (int to = 0; to < size_; ++to)
    if (to != rank_) send_note(to, tag);
}

std::string StallWatch::missing() const {
  constexpr std::size_t most = 16;  // of which the number is told
  std::vector<int> ranks;
  for (int r = 0; r < size_; ++r)
    if (!answered_[static_cast<std::size_t>(r)]) ranks.push_back(r);
  if (ranks.empty()) return "no rank is missing, they wait for different things or for the network";
  if (ranks.size() == 1) return fmt::format("rank {} is missing", ranks[0]);
  auto const more = ranks.size() - std::min(ranks.size(), most);
  ranks.resize(ranks.size() - more);
  return fmt::format("ranks {}{} are missing", fmt::join(ranks, ", "),
                     more > 0 ? fmt::format(" and {} more", more) : "");
}

void StallWatch::send_note(int to, int tag) const {
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Isend(nullptr, 0, MPI_BYTE, to, tag, comm_, &request), "MPI_Isend");
  check_mpi(MPI_Request_free(&request), "MPI_Request_free");
}

}  // namespace minidad
