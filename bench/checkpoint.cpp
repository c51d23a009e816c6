// SPDX-License-Identifier: BSD-3-Clause
// How fast a checkpoint is written and read, against `dd` with fsync of as many bytes into the same folder: parameters
// and momentum of one layer of 10,000 x 10,000. Run under mpirun; usage: bench_checkpoint [width] [rounds] [folder].

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "harness.hpp"
#include "io/checkpoint.hpp"

namespace minidad::bench {

namespace fs = std::filesystem;

/// Seconds that the slowest rank needs, all beginning together.
template <class F>
double together(Communicator& comm, F const& work) {
  comm.agree([] {});
  double slowest[1] = {seconds(work)};
  comm.max(std::span<double>(slowest));
  return slowest[0];
}

/// Run by rank 0 while the others sleep: waiting for messages takes a core.
double seconds_of_dd(Communicator& comm, std::string const& path, std::uintmax_t bytes) {
  auto const command =
      fmt::format("dd if=/dev/zero of={} bs=4M count={} iflag=count_bytes conv=fsync status=none", path, bytes);
  auto const done = path + ".done";
  double time = 0;
  if (comm.rank() == 0) {
    time = seconds([&] {
      if (std::system(command.c_str()) != 0) throw Error(ExitCode::run_time, fmt::format("this failed: {}", command));
    });
    std::ofstream(done).flush();
  }
  while (!fs::exists(done)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  comm.agree([] {});
  if (comm.rank() == 0) fs::remove(done);
  comm.agree([] {});
  return time;
}

int report(Communicator& comm, std::size_t width, int rounds, std::string const& folder) {
  auto const path = (fs::path(folder) / "bench_checkpoint.h5").string();
  ExecSpace const space;
  Network network(dense_chain({{width, width, Activation::identity}}), 1, space);
  Optimiser optimiser({.momentum = 0.9}, network.parameters().flat.extent(0));
  auto const show = [&](StateVisitor& visitor) {
    network.visit_state(visitor, Scope::common);
    optimiser.visit_state(visitor, Scope::common);
  };
  bool const speaks = comm.rank() == 0;
  std::vector<double> write_times, read_times, dd_times;
  double bytes = 0;
  for (int round = -1; round < rounds; ++round) {  // one to warm up; every file is a new one
    auto const remove = [&] {
      if (speaks) fs::remove(path);
      comm.agree([] {});
    };
    double const write = together(comm, [&] {
      write_checkpoint(comm, path, {{"ranks", fmt::to_string(comm.size())}}, show);
    });
    bytes = static_cast<double>(fs::file_size(path));
    double const read = together(comm, [&] { Checkpoint(comm, path).load(show); });
    remove();
    double const dd = seconds_of_dd(comm, path, static_cast<std::uintmax_t>(bytes));
    remove();
    if (round < 0) continue;
    write_times.push_back(write);
    read_times.push_back(read);
    dd_times.push_back(dd);
  }
  if (!speaks) return 0;
  fmt::print("{} parameters and their momentum, {:.0f} MB, {} ranks, median of {} rounds\n",
             network.parameters().flat.extent(0), bytes / 1e6, comm.size(), rounds);
  for (auto const& [what, times] :
       {std::pair{"dd with fsync", &dd_times}, {"write", &write_times}, {"read", &read_times}})
    fmt::print("{:<14} {:>7.0f} ms {:>8.2f} GB/s {:>8.0f} % of dd\n", what, 1e3 * median(*times),
               bytes / median(*times) / 1e9, 100 * median(dd_times) / median(*times));
  return 0;
}

}  // namespace minidad::bench

int main(int argc, char** argv) {
  return minidad::run_session(argc, argv, [](minidad::Communicator& comm, int n, char** arguments) {
    auto const width = n > 1 ? static_cast<std::size_t>(std::atol(arguments[1])) : 10000;
    return minidad::bench::report(comm, width, n > 2 ? std::atoi(arguments[2]) : 5, n > 3 ? arguments[3] : ".");
  });
}
