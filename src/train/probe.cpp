// SPDX-License-Identifier: BSD-3-Clause
#include "train/probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "compress/spectrum.hpp"
#include "core/error.hpp"
#include "core/for_each_element.hpp"
#include "linalg/rows.hpp"
#include "nn/backward_walk.hpp"

namespace minidad {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr auto n_measures = measure_names.size();
constexpr std::size_t largest_problem = 2048;  // seconds of one core

/// The stretch of a record that belongs to its i-th row.
std::span<double> row_of(std::vector<double>& values, std::size_t i, std::size_t width) {
  return {values.data() + i * width, width};
}

void keep_first(std::span<double const> values, std::span<double> kept) {
  auto const count = std::min(values.size(), kept.size());
  std::copy_n(values.begin(), count, kept.begin());
  std::fill(kept.begin() + static_cast<std::ptrdiff_t>(count), kept.end(), 0.0);
}

void measure_spectrum(std::span<double const> values, std::size_t rows, std::size_t width, std::span<double> measures) {
  auto const at = [&](Measure measure) -> double& { return measures[static_cast<std::size_t>(measure)]; };
  double const norm_squared = sum_of_squares(values);
  if (std::isfinite(norm_squared)) {
    double const error = truncation_error(values, norm_squared, width);
    at(Measure::norm) = std::sqrt(norm_squared);
    at(Measure::rank_0_5) = static_cast<double>(effective_rank(values, norm_squared, 0.5));
    at(Measure::rank_0_1) = static_cast<double>(effective_rank(values, norm_squared, 0.1));
    at(Measure::rank_0_01) = static_cast<double>(effective_rank(values, norm_squared, 0.01));
    at(Measure::stable_rank) = stable_rank(values, norm_squared);
    at(Measure::entropy_rank) = entropy_rank(values);
    at(Measure::error) = error;
    at(Measure::energy) = 1 - error * error;
  } else {
    std::fill(measures.begin(), measures.end(), nan);
  }
  at(Measure::rows) = static_cast<double>(rows);
}

/// column(r, 0) <- label(r), to travel as rows do; a float tells 16 million classes apart.
void copy_labels(ExecSpace const& space, Labels const& label, Matrix const& column) {
  for_each_element(
      "minidad::train::copy_labels", space, column.extent(0), 1,
      KOKKOS_LAMBDA(std::size_t row, std::size_t) { column(row, 0) = static_cast<Real>(label(row)); });
}

/// ||a - b||²_F
double squared_distance(ExecSpace const& space, Matrix const& a, Matrix const& b) {
  std::size_t const run = on_host ? a.extent(1) : 1, runs = a.extent(1) / run;
  double sum = 0;
  Kokkos::parallel_reduce(
      "minidad::train::squared_distance", Kokkos::RangePolicy<ExecSpace>(space, 0, a.extent(0) * runs),
      KOKKOS_LAMBDA(std::size_t item, double& partial) {
        std::size_t const row = item / runs, begin = (item % runs) * run;
        for (std::size_t col = begin; col < begin + run; ++col) {
          auto const difference = static_cast<double>(a(row, col)) - static_cast<double>(b(row, col));
          partial += difference * difference;
        }
      },
      sum);
  return sum;
}

bool owns_layer(std::size_t rank, std::size_t ranks, std::size_t layer) { return layer % ranks == rank; }

/// What this rank has to look at: its own rows in every layer, those of all ranks in its own layers.
std::vector<FactorSizes> sizes_on(std::size_t rank, std::vector<LayerShape> const& shapes, RowLayout const& ranks) {
  std::vector<FactorSizes> sizes;
  for (std::size_t l = 0; l < shapes.size(); ++l) {
    auto const samples = owns_layer(rank, ranks.parts(), l) ? ranks.rows() : ranks.rows_of(rank);
    if (shapes[l].has_product()) sizes.push_back({shapes[l].in, shapes[l].out, samples * shapes[l].rows});
  }
  return sizes;
}

/// Scalars of the largest A that has to be formed first.
std::size_t largest_expanded(std::vector<LayerShape> const& shapes, std::size_t samples) {
  std::size_t largest = 0;
  for (auto const& shape : shapes)
    if (shape.has_product() && !shape.travels_as_rows()) largest = std::max(largest, samples * shape.rows * shape.in);
  return largest;
}

std::size_t classes_of(std::vector<LayerShape> const& shapes) { return shapes.back().out; }

/// Scalars of the largest gradient.
std::size_t largest_gradient(std::vector<LayerShape> const& shapes) {
  std::size_t largest = 0;
  for (auto const& shape : shapes) largest = std::max({largest, shape.in * shape.out, shape.size()});
  return largest;
}

ProbeRecord::Statistic room_for(std::size_t layers) {
  std::vector<double> const spectrum(layers * probed_values);
  return {.gradient_spectrum = spectrum,
          .input_spectrum = spectrum,
          .delta_spectrum = spectrum,
          .measures = std::vector<double>(layers * n_measures),
          .angle = std::vector<double>(layers)};
}

ProbeRecord room_for(std::size_t layers, std::size_t classes) {
  return {.step = 0,
          .global = room_for(layers),
          .local = room_for(layers),
          .applied_error = std::vector<double>(layers),
          .residual_norm = std::vector<double>(layers),
          .class_spectrum = std::vector<double>(layers * classes * probed_values),
          .class_measures = std::vector<double>(layers * classes * n_measures)};
}

/// All that only the owners know.
std::array<std::vector<double>*, 8> of_owners(ProbeRecord& record) {
  auto& global = record.global;
  return {&global.gradient_spectrum, &global.input_spectrum, &global.delta_spectrum, &global.measures, &global.angle,
          &record.applied_error,     &record.class_spectrum, &record.class_measures};
}

}  // namespace

Probe::Probe(ProbeSettings const& settings, Communicator& comm, Network const& network, Parameters const& gradient,
             RowLayout const& ranks)
    : settings_(settings),
      comm_(comm),
      network_(network),
      gradient_(gradient),
      labels_(network.model().output().places()),
      spectra_(sizes_on(static_cast<std::size_t>(comm.rank()), network.shapes(), ranks), width(), settings.per_class),
      label_column_("minidad::train::label_column", settings.per_class ? ranks.rows() * labels_ : 0, 1),
      overlap_("minidad::train::overlap", width(), width()),
      dense_("minidad::train::dense", 1, largest_gradient(network.shapes())),
      expanded_("minidad::train::expanded", 1, largest_expanded(network.shapes(), ranks.rows())),
      transfer_(std::max(width() * width(), label_column_.size())),
      svd_(width(), width()),
      record_(room_for(network.layers(), settings.per_class ? classes_of(network.shapes()) : 0)) {
  require(settings.every > 0, "Probe: never due");
  for (std::size_t l = 0; l < network.layers(); ++l) {
    auto const& shape = network.shapes()[l];
    layers_.emplace_back();
    if (!shape.has_product()) continue;
    auto const owner = static_cast<int>(l % ranks.parts());
    auto const subspaces = [&](std::size_t rows) {
      return Subspaces{.vectors = {DoubleMatrix("minidad::train::subspace", rows, shape.out),
                                   DoubleMatrix("minidad::train::subspace", rows, shape.out)}};
    };
    layers_.back() =
        std::make_unique<Layer>(Layer{.input = {comm, "probe", ranks, shape.wire.rows * shape.wire.in, owner},
                                      .delta = {comm, "probe", ranks, shape.wire.rows * shape.wire.out, owner},
                                      .own = subspaces(width()),
                                      .all = subspaces(owns(l) ? width() : 0)});
  }
  if (settings.per_class) label_gather_.emplace_back(comm, "probe", ranks.rows() * labels_, 1, labels_);
  comm.traffic().entry("probe", "allreduce");  // books must be complete before a run
  for (auto const* part : of_owners(record_)) shared_.resize(shared_.size() + part->size());
  std::size_t rows = labels_;
  for (auto const& shape : network.shapes()) rows = std::max(rows, shape.rows);
  class_of_row_.reserve(ranks.rows() * labels_);
  members_.reserve(ranks.rows() * rows);
}

bool Probe::owns(std::size_t layer) const {
  return owns_layer(static_cast<std::size_t>(comm_.rank()), static_cast<std::size_t>(comm_.size()), layer);
}

namespace {

/// A sample a row.
Matrix by_sample(Matrix const& wire, WireShape const& shape) {
  return Matrix(wire.data(), wire.extent(0) / shape.rows, wire.extent(1) * shape.rows);
}

}  // namespace

/// A and D from what has travelled.
Factors Probe::rows(ExecSpace const& space, std::size_t layer, LayerStats const& wire) const {
  auto const& shape = network_.shapes()[layer];
  auto const rows = wire.delta.size() / shape.out;
  Matrix const delta(wire.delta.data(), rows, shape.out);
  if (shape.travels_as_rows()) return {Matrix(wire.input.data(), rows, shape.in), delta};
  auto const input = corner_of(expanded_, rows, shape.in);
  auto const& travelled = shape.wire;
  auto const wire_rows = wire.input.size() / travelled.in;
  network_.model().step_of(layer).layer->expand(space, Matrix(wire.input.data(), wire_rows, travelled.in), input);
  return {input, delta};
}

void Probe::measure(Pass const& pass, std::int64_t step, RowLayout const& ranks, Tape const& tape, Labels const& label,
                    Exchange const& exchange) {
  record_.step = step;
  auto const& space = pass.space;
  if (!exchange.leaves_statistics()) {
    BackwardWalk walk(pass, unheard_, network_, tape);
    while (walk.next()) walk.propagate();
  }

  if (settings_.per_class) {
    copy_labels(space, label, label_gather_.front().slot(ranks));
    label_gather_.front().start(space, ranks);
  }
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    if (!layers_[l]) continue;
    layers_[l]->input.start(space, ranks, by_sample(tape.stats[l].input, network_.shapes()[l].wire));
    layers_[l]->delta.start(space, ranks, by_sample(tape.stats[l].delta, network_.shapes()[l].wire));
  }
  if (comm_.size() > 1)  // else it is the global one
    for (std::size_t l = 0; l < layers_.size(); ++l)
      if (layers_[l]) evaluate(space, l, rows(space, l, tape.stats[l]), layers_[l]->own, record_.local);
  if (settings_.per_class) fetch_labels(space);
  for (auto* part : of_owners(record_)) std::fill(part->begin(), part->end(), 0.0);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    if (!layers_[l]) continue;
    LayerStats const wire{layers_[l]->input.finish(space), layers_[l]->delta.finish(space)};
    if (!owns(l)) continue;
    auto const all = rows(space, l, wire);
    evaluate(space, l, all, layers_[l]->all, record_.global);
    if (settings_.per_class) evaluate_classes(l, ranks.rows());
    record_.applied_error[l] = applied_error(space, l, all);
  }
  share();
  for (std::size_t l = 0; l < layers_.size(); ++l) record_.residual_norm[l] = residual_norm(space, l, exchange);
  if (comm_.size() == 1) record_.local = record_.global;
}

void Probe::evaluate(ExecSpace const& space, std::size_t layer, Factors const& g, Subspaces& subspaces,
                     ProbeRecord::Statistic& found) {
  subspaces.now = 1 - subspaces.now;
  auto const now = static_cast<std::size_t>(subspaces.now);
  subspaces.dimensions[now] = static_cast<std::int64_t>(spectra_.evaluate(space, g, subspaces.vectors[now]));
  keep_first(spectra_.gradient(), row_of(found.gradient_spectrum, layer, probed_values));
  keep_first(spectra_.input(), row_of(found.input_spectrum, layer, probed_values));
  keep_first(spectra_.delta(), row_of(found.delta_spectrum, layer, probed_values));
  auto const measures = row_of(found.measures, layer, n_measures);
  measure_spectrum(spectra_.gradient(), g.rows(), width(), measures);
  bool const finite = std::isfinite(measures[static_cast<std::size_t>(Measure::norm)]);
  found.angle[layer] = finite && subspaces.records > 0 ? angle(space, subspaces) : nan;
  ++subspaces.records;
}

/// The largest principal angle: its cosine is the smallest singular value of V_now V_beforeᵀ. Spaces of different
/// dimensions are a right angle apart.
double Probe::angle(ExecSpace const& space, Subspaces const& subspaces) {
  if (subspaces.dimensions[0] != subspaces.dimensions[1]) return std::numbers::pi / 2;
  auto const dimensions = static_cast<std::size_t>(subspaces.dimensions[0]);
  if (dimensions == 0) return 0;
  auto const overlap = corner_of(overlap_, dimensions, dimensions);
  auto const& [one, other] = subspaces.vectors;  // the angle is the same from either side
  gemm(space, Op::none, Op::transpose, 1, first_rows(one, dimensions), first_rows(other, dimensions), 0, overlap);
  svd_.solve(transfer_.fetch(space, overlap), dimensions, dimensions);
  return std::acos(std::min(1.0, svd_.values()[dimensions - 1]));
}

void Probe::fetch_labels(ExecSpace const& space) {
  auto const all = label_gather_.front().finish(space);
  auto const column = corner_of(label_column_, all.extent(0), 1);
  copy_rows(space, all, column);
  auto const fetched = transfer_.fetch(space, column);
  class_of_row_.assign(fetched.begin(), fetched.end());
}

/// Rows of a sample have its label, or each its own.
void Probe::evaluate_classes(std::size_t layer, std::size_t samples) {
  auto const classes = classes_of(network_.shapes()), rows = samples * network_.shapes()[layer].rows;
  auto const rows_a_label = rows / class_of_row_.size();
  for (std::size_t c = 0; c < classes; ++c) {
    members_.clear();
    for (std::size_t row = 0; row < rows; ++row)
      if (class_of_row_[row / rows_a_label] == static_cast<double>(c)) members_.push_back(row);
    auto const values = spectra_.gradient_of(members_);
    keep_first(values, row_of(record_.class_spectrum, layer * classes + c, probed_values));
    measure_spectrum(values, members_.size(), width(), row_of(record_.class_measures, layer * classes + c, n_measures));
  }
}

/// ||Ĝ - G|| / ||G|| with Ĝ as the exchange left it. Differences are taken element by element, so that small ones show.
double Probe::applied_error(ExecSpace const& space, std::size_t layer, Factors const& g) {
  auto const& shape = network_.shapes()[layer];
  auto const pooled = layer_parameters(shape, dense_.data());
  form_weight_gradient(space, shape, g, pooled);
  auto const weights = shape.weight_size();
  Matrix const mine(pooled.all.data(), 1, weights), applied(gradient_.layer[layer].all.data(), 1, weights);
  double const distance = std::sqrt(squared_distance(space, mine, applied));
  return distance == 0 ? 0 : distance / std::sqrt(minidad::sum_of_squares(space, mine));
}

/// ||what error feedback keeps||_F, 0 where there is none.
double Probe::residual_norm(ExecSpace const& space, std::size_t layer, Exchange const& exchange) const {
  auto const& shape = network_.shapes()[layer];
  if (!shape.has_product()) return 0;
  auto const kept = corner_of(dense_, shape.in, shape.out);
  return exchange.write_kept(space, layer, kept) ? std::sqrt(minidad::sum_of_squares(space, kept)) : 0;
}

/// Everybody but the owner adds zeros; what is not finite stays so.
void Probe::share() {
  auto next = shared_.begin();
  for (auto const* part : of_owners(record_)) next = std::copy(part->begin(), part->end(), next);
  comm_.sum(std::span<double>(shared_), "probe");
  auto from = shared_.cbegin();
  for (auto* part : of_owners(record_)) {
    std::copy_n(from, part->size(), part->begin());
    from += static_cast<std::ptrdiff_t>(part->size());
  }
}

void Probe::visit_state(StateVisitor& visitor) {
  visitor.value("step", Scope::common, record_.step);
  auto& global = record_.global;
  for (auto const& [name, values] : {std::pair{"gradient_spectrum", &global.gradient_spectrum},
                                     {"input_spectrum", &global.input_spectrum},
                                     {"delta_spectrum", &global.delta_spectrum},
                                     {"gradient_measures", &global.measures},
                                     {"gradient_angle", &global.angle}})
    visitor.values(name, Scope::common, values->data(), values->size());
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    StateGroup const group(visitor, fmt::format("layer{}", l));
    if (!layers_[l]) continue;
    std::vector<std::size_t> const shape{width(), network_.shapes()[l].out};
    layers_[l]->all.visit_state(visitor, "all", shape, static_cast<int>(l) % comm_.size());
    layers_[l]->own.visit_state(visitor, "own", shape, -1);
  }
}

/// `owner`: the one rank that has it, -1: all have one.
void Probe::Subspaces::visit_state(StateVisitor& visitor, char const* name, std::vector<std::size_t> const& shape,
                                   int owner) {
  StateGroup const group(visitor, name);
  std::array<std::int64_t, 4> counts{dimensions[0], dimensions[1], now, records};
  if (owner < 0) {
    visitor.values("counts", Scope::own, counts.data(), counts.size());
    visitor.array("vectors0", Scope::own, vectors[0]);
    visitor.array("vectors1", Scope::own, vectors[1]);
  } else {
    visitor.values_of_one("counts", owner, counts.data(), counts.size());
    visitor.array_of_one("vectors0", owner, shape, vectors[0]);
    visitor.array_of_one("vectors1", owner, shape, vectors[1]);
  }
  auto const most = static_cast<std::int64_t>(shape[0]);
  visitor.expect(std::min(counts[0], counts[1]) >= 0 && std::max(counts[0], counts[1]) <= most && (counts[2] | 1) == 1,
                 fmt::format("the probe's subspaces have dimensions {} and {}: at most {} are possible", counts[0],
                             counts[1], most));
  dimensions = {counts[0], counts[1]};
  now = counts[2];
  records = counts[3];
}

void Probe::check(ProbeSettings const& settings, Model const& model, RowLayout const& ranks) {
  if (settings.every == 0) return;
  auto const& shapes = model.shapes();
  auto const labels = model.output().places();
  for (std::size_t l = 0; l < shapes.size(); ++l) {
    if (!shapes[l].has_product()) continue;
    auto const rows = ranks.rows() * shapes[l].rows;
    auto const n = FactorSpectra::largest_problem({{shapes[l].in, shapes[l].out, rows}}, settings.per_class);
    if (settings.per_class && shapes[l].rows % labels != 0)
      refuse(fmt::format("probe.per_class = true: layer {} ({}) has {} rows a sample, which cannot share {} labels", l,
                         shapes[l].name, shapes[l].rows, labels));
    if (n > largest_problem)
      refuse(
          fmt::format("probe.every = {}: layer {} would need eigenvalues of {} x {} matrices, {} x {} are the limit; "
                      "use a smaller training.batch{} or probe.every = 0",
                      settings.every, l, n, n, largest_problem, largest_problem,
                      settings.per_class ? ", probe.per_class = false" : ""));
  }
}

std::size_t Probe::bytes(ProbeSettings const& settings, std::vector<LayerShape> const& shapes, RowLayout const& ranks) {
  if (settings.every == 0) return 0;
  std::size_t most = 0;
  auto const width = static_cast<std::size_t>(settings.width);
  for (std::size_t rank = 0; rank < ranks.parts(); ++rank) {
    std::size_t reals = largest_gradient(shapes) + largest_expanded(shapes, ranks.rows()), doubles = 0;
    for (std::size_t l = 0; l < shapes.size(); ++l) {
      bool const own = owns_layer(rank, ranks.parts(), l);
      if (own) reals += ranks.rows() * shapes[l].wire.size();
      doubles += (own ? 4 : 2) * width * shapes[l].out;
    }
    most = std::max(most, reals * sizeof(Real) + doubles * sizeof(double) +
                              FactorSpectra::bytes(sizes_on(rank, shapes, ranks), width, settings.per_class));
  }
  return most;
}

}  // namespace minidad
