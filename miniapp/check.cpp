// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "core/error.hpp"
#include "core/memory.hpp"
#include "options.hpp"

namespace minidad {

namespace {

constexpr double mib = 1 << 20;

/// What a rank will hold, beside the program itself; bytes.
struct MemoryPlan {
  double parameters, gradient, momentum, data, activations, exchange, probe;
  double all() const { return parameters + gradient + momentum + data + activations + exchange + probe; }
};

MemoryPlan plan_memory(Settings const& settings, Problem const& problem, int ranks, ExchangeForecast const& exchange) {
  BatchPlan const plan(problem.train.samples, static_cast<std::size_t>(settings.training.batch),
                       static_cast<std::size_t>(ranks), problem.row_block);
  std::size_t rank = 0;  // the one with most rows
  for (std::size_t r = 0; r < static_cast<std::size_t>(ranks); ++r)
    if (plan.samples_of(r) > plan.samples_of(rank)) rank = r;
  auto const [first, last] = test_stretch(problem.test.samples, static_cast<int>(rank), ranks, exchange.replicates);
  auto const parameters = static_cast<double>(parameter_count(problem.shapes) * sizeof(Real));
  double const sample = static_cast<double>(problem.train.width + sizeof(std::int32_t));
  return {.parameters = parameters,
          .gradient = parameters,
          .momentum = settings.optimiser.momentum > 0 ? parameters : 0,
          .data = sample * static_cast<double>(plan.samples_of(rank) + last - first),
          .activations = static_cast<double>(TapeMemory::bytes(problem.shapes, plan.ranks_at(0).rows_of(rank))),
          .exchange = static_cast<double>(exchange.memory),
          .probe = static_cast<double>(Probe::bytes(settings.probe, problem.shapes, plan.ranks_at(0)))};
}

void print_layers(Problem const& problem) {
  fmt::print("# layer  in -> out              activation   parameters\n");
  for (std::size_t l = 0; l < problem.shapes.size(); ++l) {
    auto const& shape = problem.shapes[l];
    fmt::print("#   {:<4} {:>7} -> {:<12} {:<12} {:>10}\n", l, shape.in, shape.out,
               activation_names[static_cast<std::size_t>(shape.activation)], shape.size());
  }
  fmt::print("#   all {:>43}\n", parameter_count(problem.shapes));
}

void print_exchanges(std::vector<ExchangeForecast> const& forecasts) {
  double const dsgd = forecasts.front().bytes_per_step;
  fmt::print("# exchange   bytes sent per rank and step   of dsgd\n");
  for (auto const& forecast : forecasts)
    fmt::print("#   {:<8} {:>30.0f}   {}\n", forecast.method, forecast.bytes_per_step,
               dsgd > 0 ? fmt::format("{:.4f}", forecast.bytes_per_step / dsgd) : "-");
}

}  // namespace

void check(Communicator& comm, Options const& options) {
  auto const settings = agreed_settings(comm, options);
  int const ranks = options.check_ranks > 0 ? options.check_ranks : comm.size();
  Problem problem;
  comm.agree([&] { problem = pose_problem(settings, ranks); });
  if (comm.rank() != 0) return;
  auto const batch = static_cast<std::size_t>(settings.training.batch);
  auto const forecasts = forecast_exchanges(settings.exchange, problem.shapes, ranks, batch);
  auto chosen = forecasts.front();
  for (auto const& forecast : forecasts)
    if (forecast.method == settings.exchange.method) chosen = forecast;
  auto const memory = plan_memory(settings, problem, ranks, chosen);
  double const program = static_cast<double>(resident_memory());

  fmt::print("{}\n", resolved_deck(settings));
  fmt::print("# {} ranks, {} training and {} test samples, {} steps an epoch\n", ranks, problem.train.samples,
             problem.test.samples, (problem.train.samples + batch - 1) / batch);
  print_layers(problem);
  print_exchanges(forecasts);
  fmt::print("# memory of the largest rank, MiB\n");
  for (auto const& [what, bytes] : {std::pair{"parameters", memory.parameters},
                                    {"gradient", memory.gradient},
                                    {"momentum", memory.momentum},
                                    {"data", memory.data},
                                    {"activations and deltas", memory.activations},
                                    {"exchange buffers", memory.exchange},
                                    {"probe", memory.probe},
                                    {"the program itself", program},
                                    {"in all", memory.all() + program}})
    fmt::print("#   {:<24} {:>10.1f}\n", what, bytes / mib);
}

}  // namespace minidad
