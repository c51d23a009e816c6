// SPDX-License-Identifier: BSD-3-Clause
// Some ranks fail while the others wait for them in a collective; what becomes of the job is tested from outside.
// Usage: failing_rank alone|agreed|asleep|stopped|started|crossed [RANK ...]    (the ranks that fail: default the last)
//   alone, agreed     throws, outside or inside of agree
//   asleep, stopped   never comes, or is stopped by a signal; from here on the stall limit is 2 s
//   started           starts a collective and never finishes it
//   crossed           no rank fails, but each waits for rows that the next one does not send

#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "comm/row_channel.hpp"
#include "comm/session.hpp"
#include "comm/sum_in_place.hpp"
#include "core/error.hpp"

namespace minidad {

namespace {

void fail_or_wait(Communicator& comm, std::string const& how, bool culprit) {
  auto const fail = [&] {
    if (culprit) throw Error(ExitCode::run_time, "the disk caught fire");
  };
  auto const fall_asleep = [&](std::string const& where) {
    if (culprit && how == where) std::this_thread::sleep_for(std::chrono::hours(1));
  };
  if (how == "alone") fail();
  if (how == "agreed") comm.agree(fail);
  comm.set_stall_limit(2);
  ExecSpace const space;
  fall_asleep("asleep");
  if (culprit && how == "stopped") std::raise(SIGSTOP);
  if (how == "crossed") RowChannel(comm, "layer0", 1, 1).receive(space, (comm.rank() + 1) % comm.size(), 1);
  SumInPlace sum(comm, Vector("minidad::test::buffer", 2), {{"layer0", 1}, {"layer1", 1}});
  sum.start(space);
  fall_asleep("started");
  sum.finish(space);
  comm.agree([] {});
}

}  // namespace

}  // namespace minidad

int main(int argc, char** argv) {
  return minidad::run_session(argc, argv, [](minidad::Communicator& comm, int n, char** args) {
    std::vector<int> culprits;
    for (int i = 2; i < n; ++i) culprits.push_back(std::stoi(args[i]));
    if (culprits.empty()) culprits.push_back(comm.size() - 1);
    minidad::fail_or_wait(comm, args[1], std::ranges::count(culprits, comm.rank()) > 0);
    return 0;
  });
}
