// SPDX-License-Identifier: BSD-3-Clause
// What the exchanges cost: steps of the MLP 784-1024-1024-10 at batch 64 a rank, by method, with the time of each phase
// and the bytes on the wire. Run under mpirun; usage: bench_exchange [batch per rank] [rounds].

#include <fmt/format.h>

#include "harness.hpp"

namespace minidad::bench {

void report(Communicator& comm, Arguments const& arguments) {
  auto const [rows, rounds] = arguments;
  auto const& shapes = reference_shapes;
  bool const speaks = comm.rank() == 0;
  auto const batch = rows * static_cast<std::size_t>(comm.size());
  if (speaks) {
    fmt::print("MLP 784-1024-1024-10, {} rank(s) x {} rows, {} thread(s) each, {} rounds; milliseconds of rank 0\n",
               comm.size(), rows, ExecSpace().concurrency(), rounds);
    fmt::print("{:<26} {:>8}", "exchange", "step");
    for (auto const* phase : phase_names) fmt::print(" {:>8}", phase);
    fmt::print(" {:>14} {:>10}\n", "bytes/step", "samples/s");
  }
  struct Case {
    char const* name;
    ExchangeSettings exchange;
  };
  for (auto const& [name, exchange] :
       {Case{"dsgd", {.method = "dsgd"}},
        {"dad", {.method = "dad"}},
        {"edad", {.method = "edad"}},
        {"dad deterministic, 8 rows", {.method = "dad", .deterministic = true, .row_block = 8}},
        {"dad deterministic, 16 rows", {.method = "dad", .deterministic = true, .row_block = 16}},
        {"dad deterministic, 32 rows", {.method = "dad", .deterministic = true, .row_block = 32}}}) {
    Job job(comm, shapes, batch, exchange, {.momentum = 0.9});
    for (int i = 0; i < 5; ++i) job.step();
    job.clock().lap();
    double const sent = exchanged_bytes(comm.traffic());
    std::vector<double> times;
    for (int i = 0; i < rounds; ++i) times.push_back(seconds([&] { job.step(); }));
    auto const phases = job.clock().lap();
    double step[1] = {median(times)};
    comm.max(std::span<double>(step));
    if (!speaks) continue;
    fmt::print("{:<26} {:>8.3f}", name, 1e3 * step[0]);
    for (auto const phase : phases) fmt::print(" {:>8.3f}", 1e3 * phase / rounds);
    fmt::print(" {:>14.0f} {:>10.0f}\n", (exchanged_bytes(comm.traffic()) - sent) / rounds,
               static_cast<double>(batch) / step[0]);
  }
}

}  // namespace minidad::bench

int main(int argc, char** argv) {
  return minidad::bench::run_bench(argc, argv, {.batch = 64, .rounds = 100}, minidad::bench::report);
}
