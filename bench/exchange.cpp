// SPDX-License-Identifier: BSD-3-Clause
// What the exchanges cost: steps of the MLP 784-1024-1024-10, by method, with the time of each phase, the bytes on the wire,
// and the share of the computing (all but waiting) that goes into compressing. Run under mpirun; usage:
// bench_exchange [batch per rank] [rounds] [part of the names of the exchanges wanted].

#include <fmt/format.h>

#include "harness.hpp"

namespace minidad::bench {

struct Case {
  char const* name;
  ExchangeSettings exchange;
};

std::vector<Case> const cases{
    {"dsgd", {.method = "dsgd"}},
    {"dad", {.method = "dad"}},
    {"edad", {.method = "edad"}},
    {"dad deterministic, 8 rows", {.method = "dad", .deterministic = true, .row_block = 8}},
    {"dad deterministic, 16 rows", {.method = "dad", .deterministic = true, .row_block = 16}},
    {"dad deterministic, 32 rows", {.method = "dad", .deterministic = true, .row_block = 32}},
    {"rank_dad block", {.method = "rank_dad", .low_rank = {.width = 4}}},
    {"rank_dad block, keeps 16", {.method = "rank_dad", .low_rank = {.width = 4, .feedback = 16}}},
    {"rank_dad block, keeps 32", {.method = "rank_dad", .low_rank = {.width = 4, .feedback = 32}}},
    {"rank_dad gram", {.method = "rank_dad", .low_rank = {.width = 4, .solver = "gram"}}},
    {"rank_dad qr", {.method = "rank_dad", .low_rank = {.width = 4, .solver = "qr"}}},
    {"rank_dad author", {.method = "rank_dad", .low_rank = {.width = 4, .solver = "author"}}},
    {"rank_dad block, tree", {.method = "rank_dad", .low_rank = {.width = 4, .pattern = "tree"}}},
    {"powersgd", {.method = "powersgd", .low_rank = {.width = 4}}},
    {"power_dad", {.method = "power_dad", .low_rank = {.width = 4}}},
    {"power_dad, keeps 16", {.method = "power_dad", .low_rank = {.width = 4, .feedback = 16}}},
    {"power_dad, keeps 32", {.method = "power_dad", .low_rank = {.width = 4, .feedback = 32}}},
    {"power_dad, keeps 64 / 12",
     {.method = "power_dad", .low_rank = {.width = 4, .feedback = 64, .feedback_period = 12}}},
};

void report(Communicator& comm, Arguments const& arguments) {
  auto const& [rows, rounds, only] = arguments;
  auto const& shapes = reference_shapes;
  bool const speaks = comm.rank() == 0;
  auto const batch = rows * static_cast<std::size_t>(comm.size());
  if (speaks) {
    fmt::print("MLP 784-1024-1024-10, {} rank(s) x {} rows, {} thread(s) each, {} rounds; milliseconds of rank 0\n",
               comm.size(), rows, ExecSpace().concurrency(), rounds);
    fmt::print("{:<26} {:>8}", "exchange", "step");
    for (auto const* phase : phase_names) fmt::print(" {:>8}", phase);
    fmt::print(" {:>14} {:>10} {:>11}\n", "bytes/step", "samples/s", "compressing");
  }
  for (auto const& [name, exchange] : cases) {
    if (std::string(name).find(only) == std::string::npos) continue;
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
    double computing = 0;
    for (auto const phase : phases) computing += phase;
    computing -= phases[static_cast<std::size_t>(Phase::wait)];
    fmt::print(" {:>14.0f} {:>10.0f} {:>9.1f} %\n", (exchanged_bytes(comm.traffic()) - sent) / rounds,
               static_cast<double>(batch) / step[0],
               100 * phases[static_cast<std::size_t>(Phase::compress)] / computing);
  }
}

}  // namespace minidad::bench

int main(int argc, char** argv) {
  return minidad::bench::run_bench(argc, argv, {.batch = 64, .rounds = 100}, minidad::bench::report);
}
