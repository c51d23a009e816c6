// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/memory.hpp"
#include "nn/layer_line.hpp"
#include "options.hpp"

namespace minidad {

namespace {

constexpr double mib = 1 << 20;

/// What a rank will hold, beside the program itself; bytes.
struct MemoryPlan {
  double parameters, gradient, optimiser, data, activations, exchange, probe;
  double all() const { return parameters + gradient + optimiser + data + activations + exchange + probe; }
};

MemoryPlan plan_memory(Settings const& settings, Problem const& problem, int ranks, ExchangeForecast const& exchange) {
  BatchPlan const plan(problem.train.samples, static_cast<std::size_t>(settings.training.batch),
                       static_cast<std::size_t>(ranks), problem.row_block);
  std::size_t rank = 0;  // the one with most rows
  for (std::size_t r = 0; r < static_cast<std::size_t>(ranks); ++r)
    if (plan.samples_of(r) > plan.samples_of(rank)) rank = r;
  auto const [first, last] = test_stretch(problem.test.samples, static_cast<int>(rank), ranks, exchange.replicates);
  auto const parameters = static_cast<double>(parameter_count(problem.model.shapes()) * sizeof(Real));
  auto const sample = static_cast<double>(problem.train.sample_bytes + problem.train.labels * sizeof(std::int32_t));
  return {.parameters = parameters,
          .gradient = parameters,
          .optimiser = state_per_parameter(settings.optimiser) * parameters,
          .data = sample * static_cast<double>(plan.samples_of(rank) + last - first),
          .activations = static_cast<double>(TapeMemory::bytes(problem.model, plan.ranks_at(0).rows_of(rank))),
          .exchange = static_cast<double>(exchange.memory),
          .probe = static_cast<double>(Probe::bytes(settings.probe, problem.model.shapes(), plan.ranks_at(0)))};
}

std::string at_most(double number) { return number >= 1e9 ? "any" : fmt::format("{:.0f}", std::floor(number)); }

/// Up to where each exchange sends less than dsgd does for one layer: dad and edad while the global batch is smaller,
/// rank_dad (oneway) and power_dad or powersgd (one sweep) while low_rank.width is. edad sends deltas of the last layer
/// only, and goes with dense layers only.
std::string break_even(Model const& model, std::size_t layer, int ranks) {
  auto const& shape = model.shapes()[layer];
  bool const last = layer + 1 == model.shapes().size();
  auto const size = static_cast<double>(shape.size()), sides = static_cast<double>(shape.in + shape.out);
  auto const wire = static_cast<double>(shape.wire.size());
  return fmt::format("  {:>8} {:>8} {:>10} {:>10}", at_most(2 * size / wire),
                     !is_dense_chain(model.shapes()) ? "-"
                     : last                          ? at_most(2 * size / wire)
                                                     : at_most(2 * size / static_cast<double>(shape.wire.in)),
                     at_most(2 * size / (ranks * sides)), at_most(size / sides));
}

/// Every step, and for those that learn: rows a sample, parameters, and where exchanges begin to pay.
void print_layers(Model const& model, int ranks) {
  fmt::print("#{:89}cheaper than dsgd up to a batch of    up to a width of\n", "");
  fmt::print("# {:<5} {:<37} {:<26} {:>5} {:>11}  {:>8} {:>8} {:>10} {:>10}\n", "step", "layer", "in -> out", "rows",
             "parameters", "dad", "edad", "rank_dad", "power_dad");
  for (std::size_t s = 0; s < model.steps().size(); ++s) {
    auto const& step = model.steps()[s];
    fmt::print("#   {:<3} {:<37} {:<26}", s, step.layer->describe(),
               fmt::format("{} -> {}", to_string(step.layer->in()), to_string(step.layer->out())));
    if (step.parameters) {
      auto const& shape = model.shapes()[*step.parameters];
      fmt::print(" {:>5} {:>11}", shape.has_product() ? fmt::to_string(shape.rows) : "-", shape.size());
      if (shape.has_product()) fmt::print("{}", break_even(model, *step.parameters, ranks));
    }
    fmt::print("\n");
  }
  fmt::print("#   all parameters {:>69}; powersgd as power_dad\n", parameter_count(model.shapes()));
}

/// Where in the arena everything of a pass stands, and when.
void print_arena(Model const& model, std::size_t samples) {
  auto plan = plan_arena(model);
  double const scale = static_cast<double>(samples * sizeof(Real)) / mib;
  fmt::print("# arena of {} samples: {:.2f} MiB, {:.2f} MiB if nothing shared its memory; workspace {:.2f} MiB\n",
             samples, static_cast<double>(plan.size) * scale, static_cast<double>(plan.sum()) * scale,
             static_cast<double>(model.workspace(samples) * sizeof(Real)) / mib);
  fmt::print("#   moments  scalars a sample  at offset  what (moments: {} steps forward, the loss, and back)\n",
             model.steps().size());
  std::stable_sort(plan.pieces.begin(), plan.pieces.end(),
                   [](ArenaPiece const& a, ArenaPiece const& b) { return a.begin < b.begin; });
  for (auto const& piece : plan.pieces)
    fmt::print("#   {:>3}-{:<3} {:>18} {:>10}  {}\n", piece.begin, piece.end, piece.size, piece.offset, piece.name);
}

void print_exchanges(std::vector<ExchangeForecast> const& forecasts) {
  double const dsgd = forecasts.front().bytes_per_step;
  fmt::print("# exchange   bytes sent per rank and step   of dsgd\n");
  for (auto const& forecast : forecasts)
    if (!forecast.possible)
      fmt::print("#   {:<8} {:>30}   not with these layers\n", forecast.method, "-");
    else
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
  auto const forecasts = forecast_exchanges(settings.exchange, problem.model.shapes(), ranks, batch);
  auto chosen = forecasts.front();
  for (auto const& forecast : forecasts)
    if (forecast.method == settings.exchange.method) chosen = forecast;
  auto const memory = plan_memory(settings, problem, ranks, chosen);
  auto const program = static_cast<double>(resident_memory());

  fmt::print("{}\n", resolved_deck(settings));
  fmt::print("# {} ranks, {} training and {} test samples, {} steps an epoch\n", ranks, problem.train.samples,
             problem.test.samples, (problem.train.samples + batch - 1) / batch);
  print_layers(problem.model, ranks);
  print_exchanges(forecasts);
  BatchPlan const plan(problem.train.samples, batch, static_cast<std::size_t>(ranks), problem.row_block);
  print_arena(problem.model, plan.ranks_at(0).rows_of(0));
  fmt::print("# memory of the largest rank, MiB\n");
  for (auto const& [what, bytes] : {std::pair{"parameters", memory.parameters},
                                    {"gradient", memory.gradient},
                                    {"optimiser", memory.optimiser},
                                    {"data", memory.data},
                                    {"activations and deltas", memory.activations},
                                    {"exchange buffers", memory.exchange},
                                    {"probe", memory.probe},
                                    {"the program itself", program},
                                    {"in all", memory.all() + program}})
    fmt::print("#   {:<24} {:>10.1f}\n", what, bytes / mib);
}

}  // namespace minidad
