// SPDX-License-Identifier: BSD-3-Clause
#include "nn/arena.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace minidad {

namespace {

/// Collects the pieces of a model with their lives.
class Planner {
 public:
  explicit Planner(Model const& model) : model_(model), steps_(model.steps().size()) {
    auto const values = model.sizes().size();
    plan_.value.assign(values, ArenaPlan::none);
    plan_.delta.assign(values, ArenaPlan::none);
    plan_.step.resize(steps_);
  }

  ArenaPlan plan() {
    for (std::size_t v = 0; v < model_.sizes().size(); ++v) add_value(v);
    for (std::size_t s = 0; s < steps_; ++s) add_step(s);
    for (std::size_t s = steps_; s-- > 0;) add_deltas(s);
    return std::move(plan_);
  }

 private:
  std::size_t forward(std::size_t step) const { return step; }
  std::size_t loss() const { return steps_; }
  std::size_t backward(std::size_t step) const { return 2 * steps_ - step; }
  std::size_t end() const { return 2 * steps_ + 1; }

  std::size_t add(std::string name, std::size_t size, std::size_t begin, std::size_t end) {
    plan_.pieces.push_back({std::move(name), size, begin, end});
    return plan_.pieces.size() - 1;
  }
  std::string named(char const* what, std::size_t step) const {
    return fmt::format("{} of {}", what, model_.steps()[step].layer->describe());
  }

  void add_value(std::size_t value) {
    std::size_t const begin = value == 0 ? 0 : forward(value - 1);  // step s writes value s + 1
    std::size_t end = value == steps_ ? loss() : begin;
    for (std::size_t s = 0; s < steps_; ++s) {
      auto const& step = model_.steps()[s];
      auto const memory = step.layer->memory();
      if (step.in == value || step.second == value) {
        end = std::max(end, forward(s));
        if (memory.keeps_input) end = std::max(end, backward(s));
        bool const is_a = step.parameters && model_.shapes()[*step.parameters].has_product() && !memory.own_input;
        if (is_a) end = this->end();
      }
      if (step.out == value && memory.keeps_output) end = std::max(end, backward(s));
    }
    plan_.value[value] = add(value == 0 ? "input" : named("output", value - 1), model_.sizes()[value], begin, end);
  }

  void add_step(std::size_t s) {
    auto const& step = model_.steps()[s];
    auto const memory = step.layer->memory();
    auto const shape = step.layer->shape();
    auto& pieces = plan_.step[s];
    if (memory.own_input) pieces.input = add(named("A", s), shape.rows * shape.in, forward(s), end());
    if (memory.own_delta) pieces.delta = add(named("D", s), shape.rows * shape.out, forward(s), end());
    if (memory.kept > 0) pieces.kept = add(named("kept", s), memory.kept, forward(s), backward(s));
    if (memory.scratch == 0) return;
    pieces.forward_scratch = add(named("scratch", s), memory.scratch, forward(s), forward(s));
    pieces.backward_scratch = add(named("scratch", s), memory.scratch, backward(s), backward(s));
  }

  /// Deltas of the inputs of a step, in the order of the walk: the first consumer that is met writes, later ones add.
  void add_deltas(std::size_t s) {
    auto const& step = model_.steps()[s];
    if (s + 1 == steps_) plan_.delta[step.out] = add_delta(step.out, loss());
    auto const want = [&](std::size_t value) {
      if (!model_.needs_delta(value)) return ArenaPlan::none;
      if (plan_.delta[value] == ArenaPlan::none) {
        plan_.delta[value] = add_delta(value, backward(s));
        return ArenaPlan::none;
      }
      return add(named("added delta", s), model_.sizes()[value], backward(s), backward(s));
    };
    plan_.step[s].added_in = want(step.in);
    if (step.second) plan_.step[s].added_second = want(*step.second);
  }

  std::size_t add_delta(std::size_t value, std::size_t begin) {
    if (value == 0) return add("delta of the input", model_.sizes()[0], begin, end());
    auto const s = value - 1;
    auto const& step = model_.steps()[s];
    bool const is_d =
        step.parameters && model_.shapes()[*step.parameters].has_product() && !step.layer->memory().own_delta;
    // The one of the logits is where everything begins: whoever walks again needs it.
    bool const stays = is_d || value == steps_;
    return add(named(is_d ? "D" : "delta", s), model_.sizes()[value], begin, stays ? end() : backward(s));
  }

  Model const& model_;
  std::size_t steps_;
  ArenaPlan plan_;
};

bool meet(ArenaPiece const& a, ArenaPiece const& b) { return a.begin <= b.end && b.begin <= a.end; }

void place(ArenaPlan& plan) {
  std::vector<std::size_t> order(plan.pieces.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return plan.pieces[a].size > plan.pieces[b].size; });
  std::vector<ArenaPiece const*> placed;  // by offset
  for (auto const i : order) {
    auto& piece = plan.pieces[i];
    std::size_t offset = 0;
    for (auto const* other : placed) {
      if (!meet(piece, *other)) continue;
      if (offset + piece.size <= other->offset) break;
      offset = std::max(offset, other->offset + other->size);
    }
    piece.offset = offset;
    plan.size = std::max(plan.size, offset + piece.size);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), offset,
                                   [](std::size_t at, ArenaPiece const* other) { return at < other->offset; }),
                  &piece);
  }
}

}  // namespace

std::size_t ArenaPlan::sum() const {
  std::size_t all = 0;
  for (auto const& piece : pieces) all += piece.size;
  return all;
}

ArenaPlan plan_arena(Model const& model) {
  auto plan = Planner(model).plan();
  place(plan);
  return plan;
}

}  // namespace minidad
