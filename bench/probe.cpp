// SPDX-License-Identifier: BSD-3-Clause
// What introspection costs: the MLP 784-1024-1024-10, a step with a look at every layer's gradient against one without,
// in turns, and the share of a run that looks every 50 steps. Run under mpirun; usage: bench_probe [batch per rank]
// [rounds].

#include <fmt/format.h>

#include "harness.hpp"

namespace minidad::bench {

constexpr double period = 50;

void report(Communicator& comm, Arguments const& arguments) {
  auto const rows = arguments.batch;
  int const rounds = arguments.rounds;
  auto const batch = rows * static_cast<std::size_t>(comm.size());
  bool const speaks = comm.rank() == 0;
  if (speaks) {
    fmt::print("MLP 784-1024-1024-10, {} rank(s) x {} rows, {} thread(s) each, median of {} rounds; slowest rank\n",
               comm.size(), rows, ExecSpace().concurrency(), rounds);
    fmt::print("{:<8} {:<10} {:>10} {:>10} {:>22}\n", "exchange", "per class", "step", "probe",
               fmt::format("share, every {} steps", period));
  }
  for (auto const* method : {"dsgd", "dad"})
    for (bool const per_class : {false, true}) {
      Job plain(comm, reference_shapes, batch, {.method = method}, {.momentum = 0.9});
      Job probed(comm, reference_shapes, batch, {.method = method}, {.momentum = 0.9},
                 {.every = 1, .per_class = per_class});
      std::vector<double> without, with;
      for (int round = -3; round < rounds; ++round) {  // three rounds to warm up
        double const t_without = seconds([&] { plain.step(); }), t_with = seconds([&] { probed.step(); });
        if (round < 0) continue;
        without.push_back(t_without);
        with.push_back(t_with);
      }
      double slowest[2] = {median(without), median(with)};
      comm.max(std::span<double>(slowest));
      if (!speaks) continue;
      double const step = slowest[0], probe = slowest[1] - slowest[0];
      fmt::print("{:<8} {:<10} {:>7.2f} ms {:>7.2f} ms {:>20.2f} %\n", method, per_class, 1e3 * step, 1e3 * probe,
                 100 * probe / (period * step + probe));
    }
}

}  // namespace minidad::bench

int main(int argc, char** argv) {
  return minidad::bench::run_bench(argc, argv, {.batch = 32, .rounds = 40}, minidad::bench::report);
}
