// SPDX-License-Identifier: BSD-3-Clause
#include "nn/tape.hpp"

#include "core/error.hpp"

namespace minidad {

TapeMemory::TapeMemory(Model const& model, std::size_t max_samples)
    : model_(model),
      plan_(plan_arena(model)),
      max_samples_(max_samples),
      arena_("minidad::nn::arena", plan_.size * max_samples),
      workspace_("minidad::nn::workspace", model.workspace(max_samples)) {}

Tape TapeMemory::tape(RowLayout blocks) const {
  auto const samples = blocks.rows();
  require(samples <= max_samples_, "TapeMemory: more samples than were allocated");
  auto const piece = [&](std::size_t index, SampleShape const& shape) {
    if (index == ArenaPlan::none) return Matrix();
    return Matrix(arena_.data() + plan_.pieces[index].offset * max_samples_, samples * shape.places(), shape.channels);
  };
  auto const& steps = model_.steps();
  Tape tape{.blocks = std::move(blocks)};
  for (std::size_t s = 0; s < steps.size(); ++s) {
    auto const& [layer, in, out, second, parameters] = steps[s];
    auto const& pieces = plan_.step[s];
    auto const memory = layer->memory();
    auto const shape = layer->shape();
    Place at{.in = piece(plan_.value[in], layer->in()),
             .second = second ? piece(plan_.value[*second], layer->in()) : Matrix(),
             .out = piece(plan_.value[out], layer->out()),
             .delta_in = piece(plan_.delta[in], layer->in()),
             .delta_second = second ? piece(plan_.delta[*second], layer->in()) : Matrix(),
             .delta_out = piece(plan_.delta[out], layer->out()),
             .kept = piece(pieces.kept, {.channels = memory.kept}),
             .scratch = piece(pieces.backward_scratch, {.channels = memory.scratch}),
             .workspace = workspace_};
    at.input = memory.own_input ? piece(pieces.input, {.height = shape.rows, .channels = shape.in}) : at.in;
    at.delta = memory.own_delta ? piece(pieces.delta, {.height = shape.rows, .channels = shape.out}) : at.delta_out;
    auto const apart = [&, &layer = layer](std::size_t index, Matrix& delta) {
      if (index == ArenaPlan::none) return Matrix();
      return std::exchange(delta, piece(index, layer->in()));
    };
    tape.sum_in.push_back(apart(pieces.added_in, at.delta_in));
    tape.sum_second.push_back(apart(pieces.added_second, at.delta_second));
    tape.forward_scratch.push_back(piece(pieces.forward_scratch, {.channels = memory.scratch}));
    if (parameters) {
      auto const& wire = shape.wire;
      tape.stats.push_back(shape.has_product() ? LayerStats{Matrix(at.input.data(), samples * wire.rows, wire.in),
                                                            Matrix(at.delta.data(), samples * wire.rows, wire.out)}
                                               : LayerStats{});
    }
    tape.place.push_back(at);
  }
  tape.input = piece(plan_.value.front(), {.channels = model_.input().size()});
  tape.input_delta = piece(plan_.delta.front(), {.channels = model_.input().size()});
  tape.output = piece(plan_.value.back(), model_.output());
  tape.output_delta = piece(plan_.delta.back(), model_.output());
  return tape;
}

std::size_t TapeMemory::bytes(Model const& model, std::size_t max_samples) {
  return (plan_arena(model).size * max_samples + model.workspace(max_samples)) * sizeof(Real);
}

}  // namespace minidad
