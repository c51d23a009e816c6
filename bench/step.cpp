// SPDX-License-Identifier: BSD-3-Clause
// One training step of the MLP 784-1024-1024-10 at batch 64 against its own floor, all measured in turns in one
// process:
//   floor = time of the step's matrix products alone + bytes that its other passes cannot avoid / copy bandwidth.
// Usage: bench_step [batch] [rounds]; set OMP_NUM_THREADS=1 for the single-core numbers.

#include <fmt/format.h>

#include "harness.hpp"

namespace minidad::bench {

/// Bytes of one pass each that a step needs beside its products, however they are fused. `state`: per parameter.
double unavoidable_bytes(std::vector<DenseShape> const& shapes, double rows, int state) {
  double scalars = 0;
  for (std::size_t l = 0; l < shapes.size(); ++l) {
    double const out = static_cast<double>(shapes[l].out) * rows;
    scalars += 2 * out;  // bias and activation, or softmax and delta: read and write
    if (l > 0) scalars += 3 * static_cast<double>(shapes[l].in) * rows;  // delta <- delta .* phi'(a)
    scalars += out;                                                      // bias gradient: read delta
  }
  scalars += (3 + 2 * state) *
             static_cast<double>(parameter_count(dense_chain(shapes).shapes()));  // g, state, x read; state, x written
  double const input = static_cast<double>(shapes.front().in) * rows;
  return scalars * sizeof(Real) + input * (1 + sizeof(Real));  // samples are bytes
}

void report(Communicator& comm, Arguments const& arguments) {
  auto const batch = arguments.batch;
  int const rounds = arguments.rounds;
  auto const& shapes = reference_shapes;
  StepProducts const products(shapes, batch);
  Copy const copy;
  fmt::print("MLP 784-1024-1024-10, batch {}, {} thread(s), median of {} rounds\n", batch, ExecSpace().concurrency(),
             rounds);
  fmt::print("{:<10} {:>9} {:>9} {:>9} {:>9} {:>7} {:>9} {:>8} {:>11}\n", "optimiser", "products", "passes", "floor",
             "step", "ratio", "GFLOP/s", "GB/s", "samples/s");
  for (auto const& [name, optimiser] : std::initializer_list<std::pair<char const*, OptimiserSettings>>{
           {"plain", {.momentum = 0}}, {"momentum", {.momentum = 0.9}}, {"adam", {.method = "adam"}}}) {
    Job job(comm, shapes, batch, {.method = "dsgd"}, optimiser);
    std::vector<double> product_times, copy_times, step_times;
    for (int round = -3; round < rounds; ++round) {  // three rounds to warm up
      double const t_step = seconds([&] { job.step(); }), t_products = seconds([&] { products.run(); });
      double const t_copy = round % 8 == 0 ? seconds([&] { copy.run(); }) : 0;
      if (round == -1) job.clock().lap();
      if (round < 0) continue;
      step_times.push_back(t_step);
      product_times.push_back(t_products);
      if (t_copy > 0) copy_times.push_back(t_copy);
    }
    double const t_products = median(product_times), t_step = median(step_times);
    double const bandwidth = copy.bytes() / median(copy_times);
    double const passes =
        unavoidable_bytes(shapes, static_cast<double>(batch), state_per_parameter(optimiser)) / bandwidth;
    double const floor = t_products + passes;
    fmt::print("{:<10} {:>6.2f} ms {:>6.2f} ms {:>6.2f} ms {:>6.2f} ms {:>7.3f} {:>9.1f} {:>8.1f} {:>11.0f}\n", name,
               1e3 * t_products, 1e3 * passes, 1e3 * floor, 1e3 * t_step, t_step / floor,
               products.flops() / t_products * 1e-9, bandwidth * 1e-9, static_cast<double>(batch) / t_step);
    auto const phases = job.clock().lap();
    fmt::print("           mean step:");
    for (std::size_t p = 0; p < phases.size(); ++p)
      if (phases[p] > 0) fmt::print("  {} {:.3f} ms", phase_names[p], 1e3 * phases[p] / rounds);
    fmt::print("\n");
  }
}

}  // namespace minidad::bench

int main(int argc, char** argv) {
  return minidad::bench::run_bench(argc, argv, {.batch = 64, .rounds = 200}, minidad::bench::report);
}
