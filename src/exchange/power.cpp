// SPDX-License-Identifier: BSD-3-Clause
#include "exchange/power.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "compress/random_rows.hpp"
#include "core/fill.hpp"
#include "exchange/blame.hpp"
#include "linalg/gemm.hpp"
#include "linalg/rows.hpp"

namespace minidad {

namespace {

std::size_t cap_of(LayerShape const& shape, LowRankSettings const& settings) {
  return std::min({static_cast<std::size_t>(settings.width), shape.in, shape.out});
}

}  // namespace

Power::Power(std::string const& method, Communicator& comm, std::vector<LayerShape> const& shapes, std::size_t max_rows,
             LowRankSettings const& settings, std::uint64_t seed, Parameters gradient)
    : comm_(comm),
      shapes_(shapes),
      settings_(settings),
      gradient_(std::move(gradient)),
      seed_(seed),
      compressed_(which_compressed(shapes, settings)),
      rows_(shapes, share_of(max_rows, comm.size()), compressed_),
      exact_(shapes, exact_shares(compressed_)),
      transfer_(static_cast<std::size_t>(settings.width * settings.width) + shapes.size()),
      eigen_(static_cast<std::size_t>(settings.width)),
      host_(static_cast<std::size_t>(settings.width * settings.width) + shapes.size()) {
  auto input_parts = exact_.parts();
  for (auto const& part : input_parts) exact_sizes_.push_back(part.size);
  std::vector<SumInPlace::Part> delta_parts;
  std::size_t input_size = exact_.size(), delta_size = 0, widest = 0;
  for (std::size_t l = 0; l < shapes.size(); ++l) {
    if (!compressed_[l]) continue;
    auto const in = shapes[l].in, out = shapes[l].out;
    auto const cap = cap_of(shapes[l], settings);
    ReducerShape const shape{.in = in, .out = out, .max_rows = rows_.max_rows(l), .few = 0};
    layers_.push_back({.index = l,
                       .share = method == "powersgd"
                                    ? make_dense_share(shape, settings.dense_feedback)
                                    : make_row_share(shape, cap, settings.memory(), layer_seed(~seed, l)),
                       .orthonormal = RowBasis(cap, in),
                       .common = {Matrix("minidad::exchange::common_input", cap, in),
                                  Matrix("minidad::exchange::common_delta", cap, out)},
                       .start = Matrix("minidad::exchange::start", cap, out),
                       .mine = Matrix("minidad::exchange::mine", cap, out),
                       .cap = cap,
                       .next = settings.epsilon > 0 ? 1 : cap});
    input_parts.push_back({fmt::format("layer{}", l), cap * in});
    delta_parts.push_back({fmt::format("layer{}", l), cap * out});
    input_size += cap * in;
    delta_size += cap * out;
    widest = std::max(widest, out);
  }
  input_message_ = Vector("minidad::exchange::input_message", input_size);
  exact_.place(Kokkos::subview(input_message_, Kokkos::make_pair(std::size_t{0}, exact_.size())));
  input_sum_ = std::make_unique<SumInPlace>(comm, input_message_, input_parts);
  input_sizes_.resize(input_parts.size());
  if (layers_.empty()) return;
  if (settings.epsilon > 0) {
    auto const cap = static_cast<std::size_t>(settings.width);
    delta_parts.push_back({"widths", layers_.size()});
    delta_size += layers_.size();
    wide_ = DoubleMatrix("minidad::exchange::wide", cap, widest);
    product_ = DoubleMatrix("minidad::exchange::product", cap, cap);
    double_left_out_ = DoubleMatrix("minidad::exchange::left_out", 1, layers_.size());
    rotation_ = Matrix("minidad::exchange::rotation", cap, cap);
    turned_ = Matrix("minidad::exchange::turned", cap, widest);
  }
  delta_message_ = Vector("minidad::exchange::delta_message", delta_size);
  delta_sum_ = std::make_unique<SumInPlace>(comm, delta_message_, delta_parts);
  delta_sizes_.resize(delta_parts.size());
}

void Power::walk_down(BackwardWalk& walk) {
  auto const& space = walk.space();
  auto layer = layers_.rbegin();
  while (walk.next()) {
    auto const l = walk.layer();
    {
      PhaseScope scope(walk.clock(), Phase::backward, space);
      exact_.form(walk);
      if (layer != layers_.rend() && layer->index == l) (layer++)->share->take(space, rows_.take(walk));
    }
    walk.propagate();
  }
}

void Power::form_inputs(ExecSpace const& space, bool with_exact) {
  Real* next = input_message_.data() + (with_exact ? exact_.size() : 0);
  std::size_t part = 0;
  for (auto const size : exact_sizes_) input_sizes_[part++] = with_exact ? size : 0;
  for (auto& layer : layers_) {
    auto const in = shapes_[layer.index].in;
    layer.fresh.input = Matrix(next, layer.adding, in);
    layer.share->multiply_from_delta_side(space, rows_of(layer.start, layer.width, layer.width + layer.adding),
                                          layer.fresh.input);
    next += layer.adding * in;
    input_sizes_[part++] = layer.adding * in;
  }
}

void Power::orthonormalise(ExecSpace const& space, Layer& layer) const {
  auto const& fresh = layer.fresh.input;
  auto const known = first_rows(layer.common.input, layer.width);
  auto const inner = corner_of(rotation_, fresh.extent(0), known.extent(0));
  for (int pass = 0; pass < 2 && layer.width > 0; ++pass) {  // twice is enough (Kahan), for what rounding leaves
    gemm(space, Op::none, Op::transpose, 1, fresh, known, 0, inner);
    gemm(space, Op::none, Op::none, -1, inner, known, 1, fresh);
  }
  layer.orthonormal.orthonormalise(space, fresh);
  copy_rows(space, fresh, rows_of(layer.common.input, layer.width, layer.width + layer.adding));
}

void Power::form_deltas(ExecSpace const& space, bool last_sweep) {
  Real* next = delta_message_.data();
  std::size_t part = 0;
  for (auto& layer : layers_) {
    auto const out = shapes_[layer.index].out;
    layer.fresh.delta = Matrix(next, layer.adding, out);
    layer.share->multiply_from_input_side(space, layer.fresh.input, layer.fresh.delta);
    if (last_sweep) copy_rows(space, layer.fresh.delta, rows_of(layer.mine, layer.width, layer.width + layer.adding));
    next += layer.adding * out;
    delta_sizes_[part++] = layer.adding * out;
  }
  if (settings_.epsilon == 0) return;
  delta_sizes_[part] = last_sweep ? layers_.size() : 0;
  left_out_ = Matrix(next, 1, delta_sizes_[part]);
  if (last_sweep) report_left_out(space);
}

/// This rank's ||G_s - P Pᵀ G_s||_F of every layer, into the message.
void Power::report_left_out(ExecSpace const& space) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    auto& layer = layers_[i];
    if (layer.width == 0) {
      layer.share_norm = layer.share->norm_squared(space);
      layer.share_kept = 0;
    }
    layer.share_kept += sum_of_squares(space, layer.fresh.delta);
    host_[i] = std::sqrt(std::max(0.0, layer.share_norm - layer.share_kept));
  }
  transfer_.put(space, host_, left_out_);
}

void Power::add_columns(BackwardWalk const& walk, bool first) {
  auto const& space = walk.space();
  for (std::int64_t sweep = 0; sweep < settings_.sweeps; ++sweep) {
    bool const with_exact = first && sweep == 0, last = sweep + 1 == settings_.sweeps;
    {
      PhaseScope scope(walk.clock(), Phase::compress, space);
      form_inputs(space, with_exact);
    }
    {
      PhaseScope scope(walk.clock(), Phase::wait, space);
      input_sum_->start(space, input_sizes_);
      input_sum_->finish(space);
    }
    if (with_exact) {
      PhaseScope scope(walk.clock(), Phase::exchange, space);
      if (count_not_finite(space, Matrix(input_message_.data(), 1, input_message_.size())) > 0)
        blame_not_finite(space, comm_, walk.all_local());
      exact_.deliver(space, gradient_);
    }
    if (layers_.empty()) return;
    {
      PhaseScope scope(walk.clock(), Phase::compress, space);
      for (auto& layer : layers_) orthonormalise(space, layer);
      form_deltas(space, last);
    }
    {
      PhaseScope scope(walk.clock(), Phase::wait, space);
      delta_sum_->start(space, delta_sizes_);
      delta_sum_->finish(space);
    }
    PhaseScope scope(walk.clock(), Phase::compress, space);
    for (auto& layer : layers_) {
      auto const end = layer.width + layer.adding;
      copy_rows(space, layer.fresh.delta, rows_of(last ? layer.common.delta : layer.start, layer.width, end));
      if (last) layer.width = end;
    }
  }
}

bool Power::certify(ExecSpace const& space) {
  copy_rows(space, left_out_, double_left_out_);
  auto const fetched = transfer_.fetch(space, double_left_out_);
  std::copy(fetched.begin(), fetched.end(), host_.begin());
  std::vector<double> const& left_out = host_;
  bool enough = true;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    certify(space, layers_[i], left_out[i]);
    enough = enough && layers_[i].adding == 0;
  }
  return enough;
}

/// Sets `error`, how many columns to add now, and how many to begin with in the next step.
void Power::certify(ExecSpace const& space, Layer& layer, double left_out) {
  auto const width = layer.width, out = shapes_[layer.index].out;
  auto const used = first_rows(layer.common.delta, width);
  auto const product = corner_of(product_, width, width);
  row_products(space, used, wide_, product);
  eigen_.solve(transfer_.fetch(space, product), width);
  auto const squares = eigen_.values();
  double all = left_out * left_out, missing = left_out * left_out;
  for (double const square : squares) all += std::max(0.0, square);
  double const allowed = settings_.epsilon * settings_.epsilon * all;
  layer.error = all > 0 ? std::sqrt(missing / all) : 0;
  auto const more = std::min(layer.cap - width, width / 4 + 1);
  layer.adding = missing <= allowed ? 0 : more;
  std::size_t least = width;
  for (; least > 1 && missing + std::max(0.0, squares[least - 1]) <= allowed; --least)
    missing += std::max(0.0, squares[least - 1]);
  layer.next = least;
  if (layer.adding > 0) return;
  // The next step starts from the singular directions, the strongest first.
  std::vector<double>& rotation = host_;
  auto const offset = layers_.size();
  for (std::size_t j = 0; j < width; ++j)
    std::copy(eigen_.vector(j).begin(), eigen_.vector(j).end(),
              rotation.begin() + static_cast<std::ptrdiff_t>(offset + j * width));
  auto const turn = corner_of(rotation_, width, width), turned = corner_of(turned_, width, out);
  transfer_.put(space, std::span<double const>(rotation).subspan(offset), turn);
  gemm(space, Op::none, Op::none, 1, turn, used, 0, turned);
  copy_rows(space, turned, first_rows(layer.start, width));
}

void Power::reduce(BackwardWalk& walk, RowLayout const&) {
  auto const& space = walk.space();
  walk_down(walk);
  {
    PhaseScope scope(walk.clock(), Phase::compress, space);
    for (auto& layer : layers_) {
      if (!settings_.warm_start) fill(space, layer.start, 0);
      revive_zero_rows(space, layer_seed(seed_, layer.index), calls_, layer.start);
      layer.width = 0;
      layer.adding = layer.next;
    }
    ++calls_;
  }
  add_columns(walk, true);
  while (settings_.epsilon > 0 && !layers_.empty()) {
    {
      PhaseScope scope(walk.clock(), Phase::compress, space);
      if (certify(space)) break;
    }
    add_columns(walk, false);
  }
  for (auto& layer : layers_) {
    auto const common = first_rows(layer.common, layer.width);
    {
      PhaseScope scope(walk.clock(), Phase::backward, space);
      form_weight_gradient(space, shapes_[layer.index], common, gradient_.layer[layer.index]);
    }
    PhaseScope scope(walk.clock(), Phase::compress, space);
    layer.share->settle(space, common, first_rows(layer.mine, layer.width), comm_.size());
    if (settings_.epsilon == 0) copy_rows(space, common.delta, layer.start);
  }
}

std::vector<Fidelity> Power::fidelity() const {
  std::vector<Fidelity> list(shapes_.size());
  for (auto const& layer : layers_)
    list[layer.index] = {static_cast<double>(layer.width),
                         settings_.epsilon > 0 ? layer.error : std::numeric_limits<double>::quiet_NaN()};
  return list;
}

bool Power::write_kept(ExecSpace const& space, std::size_t layer, Matrix const& dense) const {
  for (auto const& known : layers_)
    if (known.index == layer) return known.share->write_kept(space, dense);
  return false;
}

void Power::visit_state(StateVisitor& visitor) {
  visitor.value("calls", Scope::common, calls_);
  for (auto& layer : layers_) {
    StateGroup const group(visitor, fmt::format("layer{}", layer.index));
    visitor.array("start", Scope::common, layer.start);
    visitor.count("next", Scope::common, layer.next, layer.cap);
    layer.share->visit_state(visitor);
  }
}

ExchangeForecast Power::forecast(std::string const& method, std::vector<LayerShape> const& shapes, int ranks,
                                 std::size_t rows, LowRankSettings const& settings) {
  ExactPart const exact(shapes, exact_shares(which_compressed(shapes, settings)));
  auto sent = static_cast<double>(exact.size()), memory = sent;
  for (auto const& shape : shapes) {
    if (!worth_compressing(settings, shape)) continue;
    auto const local = share_of(rows, ranks);
    double const kept_rows = memory_rows(settings, LocalRows::max_rows_of(shape, local));
    auto const width = static_cast<double>(cap_of(shape, settings));
    auto const in = static_cast<double>(shape.in), out = static_cast<double>(shape.out);
    sent += static_cast<double>(settings.sweeps) * width * (in + out);
    // Message, common, start, mine, and the basis with its copy in double; then the share.
    memory += width * (5 * in + 4 * out) + (method == "powersgd" ? in * out : kept_rows * (in + out)) +
              static_cast<double>(LocalRows::memory_of(shape, local));
  }
  return {.method = method,
          .bytes_per_step = allreduce_bytes(ranks, sent * sizeof(Real)),
          .memory = static_cast<std::size_t>(memory * sizeof(Real))};
}

}  // namespace minidad
