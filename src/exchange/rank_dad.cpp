// SPDX-License-Identifier: BSD-3-Clause
#include "exchange/rank_dad.hpp"

#include <fmt/format.h>

#include "compress/random_rows.hpp"
#include "exchange/blame.hpp"
#include "linalg/rows.hpp"

namespace minidad {

namespace {

SumInPlace sum_of_exact(Communicator& comm, ExactPart& exact, Vector const& message) {
  exact.place(message);
  return {comm, message, exact.parts()};
}

}  // namespace

RankDad::RankDad(Communicator& comm, std::vector<LayerShape> const& shapes, std::size_t max_rows,
                 LowRankSettings const& settings, std::uint64_t seed, Parameters gradient)
    : comm_(comm),
      shapes_(shapes),
      settings_(settings),
      gradient_(std::move(gradient)),
      compressed_(which_compressed(shapes, settings)),
      rows_(shapes, share_of(max_rows, comm.size()), compressed_),
      exact_(shapes, exact_shares(compressed_)),
      message_("minidad::exchange::exact_part", exact_.size()),
      sum_(sum_of_exact(comm, exact_, message_)),
      layers_(shapes.size()),
      my_widths_(shapes.size()),
      all_widths_(shapes.size() * static_cast<std::size_t>(comm.size())) {
  auto const ranks = static_cast<std::size_t>(comm.size()), width = static_cast<std::size_t>(settings.width);
  CompressorSettings const compressor{
      .reducer = settings.reducer(), .width = width, .epsilon = settings.epsilon, .memory = settings.memory()};
  RowLayout fixed;
  for (std::size_t r = 1; r <= ranks; ++r) fixed.offset.push_back(r * width);
  layout_.assign(shapes.size(), fixed);
  for (std::size_t l = 0; l < shapes.size(); ++l) {
    if (!compressed_[l]) continue;
    auto const in = shapes[l].in, out = shapes[l].out;
    auto const name = fmt::format("layer{}", l);
    ReducerShape const shape{.in = in, .out = out, .max_rows = rows_.max_rows(l), .few = 0};
    layers_[l] = std::make_unique<Layer>(
        Layer{.compress = RowCompressor(compressor, shape, layer_seed(seed, l)), .gather = {}, .merge = {}, .few = {}});
    if (settings.pattern == "oneway")
      layers_[l]->gather = std::make_unique<RowGather>(comm, name, ranks * width, in + out);
    else
      layers_[l]->merge =
          std::make_unique<MergedRows>(comm, name, settings.pattern, compressor, shape, layer_seed(~seed, l));
  }
  if (settings.epsilon > 0) width_entry_ = &comm.traffic().entry("widths", "allgather");
}

void RankDad::post(BackwardWalk const& walk, std::size_t layer) {
  auto& [compress, gather, merge, few] = *layers_[layer];
  PhaseScope scope(walk.clock(), Phase::exchange, walk.space());
  pack_rows(walk.space(), few.input, few.delta, gather->slot(layout_[layer]));
  gather->start(walk.space(), layout_[layer]);
}

void RankDad::agree_on_widths() {
  auto const count = my_widths_.size();
  for (std::size_t l = 0; l < count; ++l)
    my_widths_[l] = layers_[l] ? static_cast<std::int32_t>(layers_[l]->few.rows()) : 0;
  comm_.all_gather(my_widths_, all_widths_, *width_entry_);
  for (std::size_t l = 0; l < count; ++l)
    for (std::size_t r = 0; r < layout_[l].parts(); ++r)
      layout_[l].offset[r + 1] = layout_[l].offset[r] + static_cast<std::size_t>(all_widths_[r * count + l]);
}

Factors RankDad::collect(BackwardWalk const& walk, std::size_t layer) {
  auto& [compress, gather, merge, few] = *layers_[layer];
  PhaseScope scope(walk.clock(), Phase::wait, walk.space());
  if (merge) return (*merge)(walk.space(), few);
  auto const all = gather->finish(walk.space());
  auto const in = shapes_[layer].in, out = shapes_[layer].out;
  return {columns_of(all, 0, in), columns_of(all, in, in + out)};
}

void RankDad::reduce(BackwardWalk& walk, RowLayout const&) {
  auto const& space = walk.space();
  bool const early = settings_.pattern == "oneway" && settings_.epsilon == 0;  // rows may leave while the walk goes on
  while (walk.next()) {
    auto const l = walk.layer();
    {
      PhaseScope scope(walk.clock(), Phase::backward, space);
      exact_.form(walk);
    }
    if (layers_[l]) {
      {
        PhaseScope scope(walk.clock(), Phase::compress, space);
        layers_[l]->few = layers_[l]->compress(space, rows_.take(walk));
      }
      if (early) post(walk, l);
    }
    walk.propagate();
    PhaseScope scope(walk.clock(), Phase::exchange, space);
    for (auto posted = l; early && posted < layers_.size(); ++posted)
      if (layers_[posted]) layers_[posted]->gather->progress();
  }
  {
    PhaseScope scope(walk.clock(), Phase::exchange, space);
    sum_.start(space);
  }
  if (settings_.epsilon > 0) {
    {
      PhaseScope scope(walk.clock(), Phase::wait, space);
      agree_on_widths();
    }
    for (std::size_t l = layers_.size(); l-- > 0;)
      if (layers_[l]) post(walk, l);
  }
  std::int64_t bad = 0;
  for (std::size_t l = layers_.size(); l-- > 0;) {
    if (!layers_[l]) continue;
    auto const all = collect(walk, l);
    PhaseScope scope(walk.clock(), Phase::backward, space);
    bad += count_not_finite(space, all.input) + count_not_finite(space, all.delta);
    form_weight_gradient(space, shapes_[l], all, gradient_.layer[l]);
  }
  {
    PhaseScope scope(walk.clock(), Phase::wait, space);
    sum_.finish(space);
  }
  PhaseScope scope(walk.clock(), Phase::exchange, space);
  bad += count_not_finite(space, Matrix(message_.data(), 1, message_.size()));
  if (bad > 0) blame_not_finite(space, comm_, walk.all_local());
  exact_.deliver(space, gradient_);
}

std::vector<Fidelity> RankDad::fidelity() const {
  std::vector<Fidelity> list;
  for (auto const& layer : layers_)
    list.push_back(layer ? Fidelity{static_cast<double>(layer->few.rows()), layer->compress.error()} : Fidelity{});
  return list;
}

bool RankDad::write_kept(ExecSpace const& space, std::size_t layer, Matrix const& dense) const {
  if (!layers_[layer] || !layers_[layer]->compress.memory().write_kept(space, dense, 0)) return false;
  if (layers_[layer]->merge) layers_[layer]->merge->add_kept(space, dense);
  return true;
}

void RankDad::visit_state(StateVisitor& visitor) {
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    if (!layers_[l]) continue;
    StateGroup const group(visitor, fmt::format("layer{}", l));
    layers_[l]->compress.visit_state(visitor);
    if (layers_[l]->merge) layers_[l]->merge->visit_state(visitor, layers_[l]->compress);
  }
}

ExchangeForecast RankDad::forecast(std::vector<LayerShape> const& shapes, int ranks, std::size_t rows,
                                   LowRankSettings const& settings) {
  auto const compressed = which_compressed(shapes, settings);
  ExactPart const exact(shapes, exact_shares(compressed));
  double const s = ranks;
  auto const width = static_cast<double>(settings.width), oversampling = static_cast<double>(settings.oversampling);
  double sent = 0, scalars = 0;
  for (std::size_t l = 0; l < shapes.size(); ++l) {
    if (!compressed[l]) continue;
    auto const local = share_of(rows, ranks);
    double const memory = memory_rows(settings, LocalRows::max_rows_of(shapes[l], local));
    auto const sides = static_cast<double>(shapes[l].in + shapes[l].out);
    double const message = width * sides * sizeof(Real);
    sent += settings.pattern == "oneway" ? allgather_bytes(ranks, message) : 2 * (s - 1) / s * message;
    // Gathered or merged rows, few rows, their iterates (found, turned, basis with its copy in double), and the memory.
    scalars += (s * width + width + 6 * (width + oversampling) + memory) * sides +
               static_cast<double>(LocalRows::memory_of(shapes[l], local));
  }
  if (settings.epsilon > 0) sent += allgather_bytes(ranks, 4.0 * static_cast<double>(shapes.size()));
  auto const exact_bytes = static_cast<double>(exact.size() * sizeof(Real));
  return {.method = "rank_dad",
          .bytes_per_step = sent + allreduce_bytes(ranks, exact_bytes),
          .memory = static_cast<std::size_t>(scalars * sizeof(Real) + exact_bytes)};
}

}  // namespace minidad
