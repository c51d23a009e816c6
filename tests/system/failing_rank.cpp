// SPDX-License-Identifier: BSD-3-Clause
// The last rank throws while the others wait for it in a collective; what run_session makes of that is tested from
// outside. Usage: failing_rank alone|agreed

#include <string>

#include "comm/session.hpp"
#include "core/error.hpp"

int main(int argc, char** argv) {
  return minidad::run_session(argc, argv, [](minidad::Communicator& comm, int n, char** args) {
    bool const culprit = comm.rank() == comm.size() - 1;
    auto const fail = [&] {
      if (culprit) throw minidad::Error(minidad::ExitCode::run_time, "the disk caught fire");
    };
    if (n > 1 && std::string(args[1]) == "agreed")
      comm.agree(fail);
    else
      fail();
    double waiting[1] = {1};
    comm.sum(std::span<double>(waiting));
    return 0;
  });
}
