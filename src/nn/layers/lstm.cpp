// SPDX-License-Identifier: BSD-3-Clause
#include "nn/layers/lstm.hpp"

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
  Matrix gates, cell;
  Matrix out{};          ///< forward only
  Matrix cell_before{};  ///< empty at the first step, where it is zero
  Matrix next{};         ///< where the next step looks for h; empty at the last
};

/// gates: from [a_i | a_f | a_g | a_o] to [i | f | g | o].
void apply_gates(ExecSpace const& space, TimeStep const& step) {
  auto const gates = step.gates, cell = step.cell, out = step.out, cell_before = step.cell_before, next = step.next;
  auto const width = out.extent(1);
  bool const begins = cell_before.size() == 0, goes_on = next.size() > 0;
  for_each_element(
      "minidad::nn::lstm", space, out.extent(0), width, KOKKOS_LAMBDA(std::size_t row, std::size_t col) {
        Real const i = fast::sigmoid(gates(row, col)), f = fast::sigmoid(gates(row, width + col));
        Real const g = fast::tanh(gates(row, 2 * width + col)), o = fast::sigmoid(gates(row, 3 * width + col));
        Real const c = i * g + (begins ? Real(0) : f * cell_before(row, col)), h = o * fast::tanh(c);
        gates(row, col) = i;
        gates(row, width + col) = f;
        gates(row, 2 * width + col) = g;
        gates(row, 3 * width + col) = o;
        cell(row, col) = c;
        out(row, col) = h;
        if (goes_on) next(row, col) = h;
      });
}

/// What comes back from the next step.
struct Carried {
  Matrix delta, cell;  ///< dL/dh', less what the output has by itself, and dL/dc'
};

/// gates: from [i | f | g | o] to D; carried.cell: from dL/dc' to dL/dc.
void differentiate_gates(ExecSpace const& space, TimeStep const& step, Matrix const& delta, Carried const& carried) {
  auto const gates = step.gates, cell = step.cell, cell_before = step.cell_before;
  auto const dh_next = carried.delta, dc_next = carried.cell;
  auto const width = delta.extent(1);
  bool const begins = cell_before.size() == 0;
  for_each_element(
      "minidad::nn::lstm_delta", space, delta.extent(0), width, KOKKOS_LAMBDA(std::size_t row, std::size_t col) {
        Real const i = gates(row, col), f = gates(row, width + col), g = gates(row, 2 * width + col);
        Real const o = gates(row, 3 * width + col), t = fast::tanh(cell(row, col));
        Real const dh = delta(row, col) + dh_next(row, col), dc = dc_next(row, col) + dh * o * (1 - t * t);
        gates(row, col) = dc * g * i * (1 - i);
        gates(row, width + col) = begins ? Real(0) : dc * cell_before(row, col) * f * (1 - f);
        gates(row, 2 * width + col) = dc * i * (1 - g * g);
        gates(row, 3 * width + col) = dh * t * o * (1 - o);
        dc_next(row, col) = dc * f;
      });
}

}  // namespace

std::string Lstm::describe() const { return fmt::format("lstm {}", out().channels); }

LayerShape Lstm::shape() const {
  auto const steps = in().places(), all = in().channels + out().channels, gates = 4 * out().channels;
  return {.name = "lstm",
          .in = all,
          .out = gates,
          .rows = steps,
          .wire = {steps, all, gates},
          .weights = {{"weight", 0, 0, all, gates}},
          .rest_name = "bias",
          .rest = gates};
}

void Lstm::initialise(ExecSpace const& space, std::uint64_t seed, std::uint32_t index,
                      LayerParameters const& to) const {
  auto const channels = in().channels, width = out().channels;
  auto const& weight = to.weight();
  auto const bound = [&](std::size_t fan_in) { return weight_bound(Activation::tanh, fan_in, width); };
  fill_uniform(space, seed, index, 0, bound(channels), first_rows(weight, channels));
  fill_uniform(space, seed, index, channels * 4 * width, bound(width), rows_of(weight, channels, channels + width));
  fill(space, to.bias(), 0);
  fill(space, Matrix(to.bias().data() + width, 1, width), 1);
}

void Lstm::forward(Pass const& pass, LayerParameters const& p, Place const& at) const {
  auto const steps = in().places(), channels = in().channels, width = out().channels;
  Matrix const cells(at.kept.data(), at.out.extent(0), width);
  begin_steps(pass.space, at.in, first_rows(p.weight(), channels), p.bias(), at);
  auto const recurrent = rows_of(p.weight(), channels, channels + width);
  for (std::size_t t = 0; t < steps; ++t) {
    TimeStep step{.gates = step_of(at.delta, steps, t, 0, 4 * width),
                  .cell = step_of(cells, steps, t, 0, width),
                  .out = step_of(at.out, steps, t, 0, width)};
    if (t > 0) step.cell_before = step_of(cells, steps, t - 1, 0, width);
    if (t + 1 < steps) step.next = step_of(at.input, steps, t + 1, channels, channels + width);
    auto const before = step_of(at.input, steps, t, channels, channels + width);
    if (t > 0) gemm(pass.space, Op::none, Op::none, 1, before, recurrent, 1, step.gates);
    apply_gates(pass.space, step);
  }
}

void Lstm::differentiate(Pass const& pass, LayerParameters const& p, Place const& at) const {
  auto const steps = in().places(), channels = in().channels, width = out().channels;
  auto const samples = at.delta_out.extent(0) / steps;
  Matrix const cells(at.kept.data(), at.delta_out.extent(0), width);
  Carried const carried{.delta = Matrix(at.workspace.data(), samples, width),
                        .cell = Matrix(at.workspace.data() + samples * width, samples, width)};
  fill(pass.space, carried.delta, 0);
  fill(pass.space, carried.cell, 0);
  auto const recurrent = rows_of(p.weight(), channels, channels + width);
  for (std::size_t t = steps; t-- > 0;) {
    TimeStep step{.gates = step_of(at.delta, steps, t, 0, 4 * width), .cell = step_of(cells, steps, t, 0, width)};
    if (t > 0) step.cell_before = step_of(cells, steps, t - 1, 0, width);
    differentiate_gates(pass.space, step, step_of(at.delta_out, steps, t, 0, width), carried);
    if (t > 0) gemm(pass.space, Op::none, Op::transpose, 1, step.gates, recurrent, 0, carried.delta);
  }
}

void Lstm::propagate(Pass const& pass, LayerParameters const& p, Place const& at) const {
  gemm(pass.space, Op::none, Op::transpose, 1, at.delta, first_rows(p.weight(), in().channels), 0, at.delta_in);
}

}  // namespace minidad
