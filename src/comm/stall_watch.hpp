// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Inside comm/ only: what a wait becomes once Communicator::set_stall_limit has set a limit.

#include <mpi.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace minidad {

/// What a wait is for; put into words only if it lasts too long.
struct Awaited {
  std::string_view collective;
  std::string_view part, last_part = part;  ///< of the model; a message may carry several, from `part` on
};

/// Waits with a limit. A rank that has waited almost that long asks all ranks whether they wait too, on a communicator
/// of its own; every rank that waits answers, whatever it waits for. At the limit, who did not answer is missing.
class StallWatch {
 public:
  /// Collective over `parent`. `limit` is in seconds, > 0.
  StallWatch(MPI_Comm parent, double limit);
  ~StallWatch();
  StallWatch(StallWatch const&) = delete;
  StallWatch& operator=(StallWatch const&) = delete;

  /// Until the request is complete. At the limit one rank, as a rule the lowest that waits, throws Error(stalled) that
  /// names what it awaits and the missing ranks; the others wait on and rely on being aborted.
  void wait(MPI_Request& request, Awaited const& what);

 private:
  using Seconds = std::chrono::duration<double>;

  void listen();
  void leave_it_to(int other);
  void ask();
  bool asking() const { return !answered_.empty(); }
  std::string missing() const;
  void send_note(int to, int tag) const;
  void send_to_all(int tag) const;

  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
  Seconds limit_, grace_,
      tick_;          ///< a question stands for `grace_`, the last part of the limit; looks are a tick apart
  int question_ = 0;  ///< number of the last question, so that an answer to an earlier one is known as such
  // Of the wait at hand:
  Seconds waited_{0}, ask_at_{0}, report_at_{0};
  std::vector<bool> answered_;  ///< by rank; empty unless asking
};

}  // namespace minidad
