// SPDX-License-Identifier: BSD-3-Clause
#include "nn/layers/gru.hpp"

#include <fmt/format.h>

#include "core/fast_math.hpp"
#include "core/fill.hpp"
#include "core/for_each_element.hpp"
#include "linalg/gemm.hpp"
#include "nn/layers/dense.hpp"
#include "nn/layers/time_steps.hpp"

namespace minidad {

namespace {

/// One step of all samples; `gates` (samples, 4 width), everything else (samples, width).
struct TimeStep {
  Matrix before, gates, after;
  Matrix next{};  ///< where the next step looks for h; empty at the last
};

/// gates: from [a_n | a_r | a_z | m] to [n | r | z | m].
void apply_gates(ExecSpace const& space, TimeStep const& step) {
  auto const before = step.before, gates = step.gates, after = step.after, next = step.next;
  auto const width = after.extent(1);
  bool const goes_on = next.size() > 0;
  for_each_element(
      "minidad::nn::gru", space, after.extent(0), width, KOKKOS_LAMBDA(std::size_t row, std::size_t col) {
        Real const r = fast::sigmoid(gates(row, width + col)), z = fast::sigmoid(gates(row, 2 * width + col));
        Real const n = fast::tanh(gates(row, col) + r * gates(row, 3 * width + col));
        Real const h = n + z * (before(row, col) - n);
        gates(row, col) = n;
        gates(row, width + col) = r;
        gates(row, 2 * width + col) = z;
        after(row, col) = h;
        if (goes_on) next(row, col) = h;
      });
}

/// gates: from [n | r | z | m] to [d_n | d_r | d_z | d_n .* r]; carried: from dL/dh', less what the output has by
/// itself, to the part of dL/dh that does not pass through the gates.
void differentiate_gates(ExecSpace const& space, Matrix const& before, Matrix const& gates, Matrix const& delta,
                         Matrix const& carried) {
  auto const width = delta.extent(1);
  for_each_element(
      "minidad::nn::gru_delta", space, delta.extent(0), width, KOKKOS_LAMBDA(std::size_t row, std::size_t col) {
        Real const n = gates(row, col), r = gates(row, width + col), z = gates(row, 2 * width + col);
        Real const m = gates(row, 3 * width + col), dh = delta(row, col) + carried(row, col);
        Real const d_n = dh * (1 - z) * (1 - n * n);
        gates(row, col) = d_n;
        gates(row, width + col) = d_n * m * r * (1 - r);
        gates(row, 2 * width + col) = dh * (before(row, col) - n) * z * (1 - z);
        gates(row, 3 * width + col) = d_n * r;
        carried(row, col) = dh * z;
      });
}

}  // namespace

std::string Gru::describe() const { return fmt::format("gru {}", out().channels); }

LayerShape Gru::shape() const {
  auto const steps = in().places(), channels = in().channels, width = out().channels;
  return {.name = "gru",
          .in = channels + width,
          .out = 4 * width,
          .rows = steps,
          .wire = {steps, channels + width, 4 * width},
          .weights = {{"input", 0, 0, channels, 3 * width}, {"recurrent", channels, width, width, 3 * width}},
          .rest_name = "bias",
          .rest = 4 * width};
}

void Gru::initialise(ExecSpace const& space, std::uint64_t seed, std::uint32_t index, LayerParameters const& to) const {
  auto const channels = in().channels, width = out().channels;
  auto const bound = [&](std::size_t fan_in) { return weight_bound(Activation::tanh, fan_in, width); };
  fill_uniform(space, seed, index, 0, bound(channels), to.weights[0]);
  fill_uniform(space, seed, index, to.weights[0].size(), bound(width), to.weights[1]);
  fill(space, to.bias(), 0);
}

void Gru::forward(Pass const& pass, LayerParameters const& p, Place const& at) const {
  auto const steps = in().places(), channels = in().channels, width = out().channels;
  begin_steps(pass.space, at.in, p.weights[0], p.bias(), at);
  for (std::size_t t = 0; t < steps; ++t) {
    TimeStep step{.before = step_of(at.input, steps, t, channels, channels + width),
                  .gates = step_of(at.delta, steps, t, 0, 4 * width),
                  .after = step_of(at.out, steps, t, 0, width)};
    if (t + 1 < steps) step.next = step_of(at.input, steps, t + 1, channels, channels + width);
    auto const of_before = columns_of(step.gates, width, 4 * width);
    if (t > 0) gemm(pass.space, Op::none, Op::none, 1, step.before, p.weights[1], 1, of_before);
    apply_gates(pass.space, step);
  }
}

void Gru::differentiate(Pass const& pass, LayerParameters const& p, Place const& at) const {
  auto const steps = in().places(), channels = in().channels, width = out().channels;
  Matrix const carried(at.workspace.data(), at.delta_out.extent(0) / steps, width);
  fill(pass.space, carried, 0);
  for (std::size_t t = steps; t-- > 0;) {
    auto const gates = step_of(at.delta, steps, t, 0, 4 * width);
    differentiate_gates(pass.space, step_of(at.input, steps, t, channels, channels + width), gates,
                        step_of(at.delta_out, steps, t, 0, width), carried);
    if (t > 0)
      gemm(pass.space, Op::none, Op::transpose, 1, columns_of(gates, width, 4 * width), p.weights[1], 1, carried);
  }
}

void Gru::propagate(Pass const& pass, LayerParameters const& p, Place const& at) const {
  gemm(pass.space, Op::none, Op::transpose, 1, columns_of(at.delta, 0, 3 * out().channels), p.weights[0], 0,
       at.delta_in);
}

}  // namespace minidad
