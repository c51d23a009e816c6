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
    auto const rows = owns_layer(rank, ranks.parts(), l) ? ranks.rows() : ranks.rows_of(rank);
    sizes.push_back({shapes[l].in, shapes[l].out, rows});
  }
  return sizes;
}

/// Scalars of the largest gradient.
std::size_t largest_gradient(std::vector<LayerShape> const& shapes) {
  std::size_t largest = 0;
  for (auto const& shape : shapes) largest = std::max(largest, shape.in * shape.out);
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
      spectra_(sizes_on(static_cast<std::size_t>(comm.rank()), network.shapes(), ranks), width(), settings.per_class),
      label_column_("minidad::train::label_column", settings.per_class ? ranks.rows() : 0, 1),
      overlap_("minidad::train::overlap", width(), width()),
      dense_("minidad::train::dense", 1, largest_gradient(network.shapes())),
      transfer_(std::max(width() * width(), label_column_.size())),
      svd_(width(), width()),
      record_(room_for(network.layers(), settings.per_class ? network.shapes().back().out : 0)) {
  require(settings.every > 0, "Probe: never due");
  for (std::size_t l = 0; l < network.layers(); ++l) {
    auto const& shape = network.shapes()[l];
    auto const owner = static_cast<int>(l % ranks.parts());
    auto const subspaces = [&](std::size_t rows) {
      return Subspaces{.vectors = {DoubleMatrix("minidad::train::subspace", rows, shape.out),
                                   DoubleMatrix("minidad::train::subspace", rows, shape.out)}};
    };
    layers_.push_back({.input = {comm, "probe", ranks, shape.in, owner},
                       .delta = {comm, "probe", ranks, shape.out, owner},
                       .own = subspaces(width()),
                       .all = subspaces(owns(l) ? width() : 0)});
  }
  if (settings.per_class) labels_.emplace_back(comm, "probe", ranks.rows(), 1);
  comm.traffic().entry("probe", "allreduce");  // books must be complete before a run
  for (auto const* part : of_owners(record_)) shared_.resize(shared_.size() + part->size());
  class_of_row_.reserve(ranks.rows());
  members_.reserve(ranks.rows());
}

bool Probe::owns(std::size_t layer) const {
  return owns_layer(static_cast<std::size_t>(comm_.rank()), static_cast<std::size_t>(comm_.size()), layer);
}

void Probe::measure(ExecSpace const& space, std::int64_t step, RowLayout const& ranks, Tape const& tape,
                    Labels const& label, Exchange const& exchange) {
  record_.step = step;
  BackwardWalk walk(space, unheard_, network_, tape);
  while (walk.next()) walk.propagate();

  if (settings_.per_class) {
    copy_labels(space, label, labels_.front().slot(ranks));
    labels_.front().start(space, ranks);
  }
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    layers_[l].input.start(space, ranks, tape.activation[l]);
    layers_[l].delta.start(space, ranks, tape.delta[l]);
  }
  if (comm_.size() > 1)  // else it is the global one
    for (std::size_t l = 0; l < layers_.size(); ++l)
      evaluate(space, l, {tape.activation[l], tape.delta[l]}, layers_[l].own, record_.local);
  if (settings_.per_class) fetch_labels(space);
  for (auto* part : of_owners(record_)) std::fill(part->begin(), part->end(), 0.0);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    Factors const all{layers_[l].input.finish(space), layers_[l].delta.finish(space)};
    if (!owns(l)) continue;
    evaluate(space, l, all, layers_[l].all, record_.global);
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
  auto const all = labels_.front().finish(space);
  auto const column = corner_of(label_column_, all.extent(0), 1);
  copy_rows(space, all, column);
  auto const fetched = transfer_.fetch(space, column);
  class_of_row_.assign(fetched.begin(), fetched.end());
}

void Probe::evaluate_classes(std::size_t layer, std::size_t rows) {
  auto const classes = network_.shapes().back().out;
  for (std::size_t c = 0; c < classes; ++c) {
    members_.clear();
    for (std::size_t row = 0; row < rows; ++row)
      if (class_of_row_[row] == static_cast<double>(c)) members_.push_back(row);
    auto const values = spectra_.gradient_of(members_);
    keep_first(values, row_of(record_.class_spectrum, layer * classes + c, probed_values));
    measure_spectrum(values, members_.size(), width(), row_of(record_.class_measures, layer * classes + c, n_measures));
  }
}

/// ||Ĝ - G|| / ||G|| with Ĝ as the exchange left it. Differences are taken element by element, so that small ones show.
double Probe::applied_error(ExecSpace const& space, std::size_t layer, Factors const& g) {
  auto const& applied = gradient_.layer[layer].weight;
  auto const pooled = corner_of(dense_, applied.extent(0), applied.extent(1));
  gemm(space, Op::transpose, Op::none, 1, g.input, g.delta, 0, pooled);
  double const distance = std::sqrt(squared_distance(space, pooled, applied));
  return distance == 0
             ? 0
             : distance / record_.global.measures[layer * n_measures + static_cast<std::size_t>(Measure::norm)];
}

/// ||what error feedback keeps||_F, 0 where there is none.
double Probe::residual_norm(ExecSpace const& space, std::size_t layer, Exchange const& exchange) const {
  auto const& shape = network_.shapes()[layer];
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
    std::vector<std::size_t> const shape{width(), network_.shapes()[l].out};
    layers_[l].all.visit_state(visitor, "all", shape, static_cast<int>(l) % comm_.size());
    layers_[l].own.visit_state(visitor, "own", shape, -1);
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

void Probe::check(ProbeSettings const& settings, std::vector<LayerShape> const& shapes, RowLayout const& ranks) {
  if (settings.every == 0) return;
  for (std::size_t l = 0; l < shapes.size(); ++l) {
    auto const n = FactorSpectra::largest_problem({{shapes[l].in, shapes[l].out, ranks.rows()}}, settings.per_class);
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
    std::size_t reals = largest_gradient(shapes), doubles = 0;
    for (std::size_t l = 0; l < shapes.size(); ++l) {
      bool const own = owns_layer(rank, ranks.parts(), l);
      if (own) reals += ranks.rows() * (shapes[l].in + shapes[l].out);
      doubles += (own ? 4 : 2) * width * shapes[l].out;
    }
    most = std::max(most, reals * sizeof(Real) + doubles * sizeof(double) +
                              FactorSpectra::bytes(sizes_on(rank, shapes, ranks), width, settings.per_class));
  }
  return most;
}

}  // namespace minidad
