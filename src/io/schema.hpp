// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <span>

namespace minidad::schema {

// What a run file holds. This is the one place that says so: the writer walks these tables, and readers (analysis/)
// follow them. A change of meaning raises the major version, an addition the minor one.

inline constexpr char const* name = "minidad-run";
inline constexpr char const* version = "1.5";

// A complete file is sealed (since 1.2), see seal.hpp: `minidad verify` tells whether it still has every byte that it
// was finished with.
// Attributes of the root group:
//   schema_name, schema_version   text
//   complete                      int32: 1 once the run has ended well; the file has its final name only then

// Axes: one-dimensional datasets in the root group, HDF5 dimension scales, so that xarray labels the series with them.
//   step     int64   steps done when the record was taken        grows
//   epoch    int64   epochs done when the record was taken       grows
//   rank     int64   MPI ranks
//   phase    text    phases of a step, see core/phases.hpp
//   channel  text    "part collective" of the traffic, e.g. "layer0 allgatherv"; "control" and "probe" are not the
//                    exchange's
//   layer    text    "layer0", ... (since 1.1)
// With introspection (since 1.1):
//   probe_step  int64   the step that was looked at, from 1            grows
//   value       int64   0 ... 31, the place of a singular value
//   measure     text    what is measured of a gradient, see Measure in records.hpp
//   class       int64   labels; there if classes are told apart
// The axes along which files grow come first.
enum class Axis { step, epoch, probe_step, rank, phase, channel, layer, value, measure, label };
inline constexpr std::array<char const*, 10> axis_names{"step",    "epoch", "probe_step", "rank",    "phase",
                                                        "channel", "layer", "value",      "measure", "class"};
inline constexpr std::array time_axes{Axis::step, Axis::epoch, Axis::probe_step};

enum class Type { integer, real };  // int64, float64

/// A dataset in the root group with time as its first axis. It is there when all of its axes are. With `rank` as its
/// second axis it holds what each rank measured itself.
struct Series {
  char const* name;
  Type type;
  std::array<Axis, 4> axis;
  int axes;
  char const* unit;
  char const* meaning;
};

using enum Axis;
// Series over steps cover the steps since the previous record.
inline constexpr Series series[] = {
    {"epoch_of_step", Type::integer, {step}, 1, "1", "epoch the step belongs to, from 1"},
    {"loss", Type::real, {step}, 1, "nat", "training loss, mean over rows"},
    {"accuracy", Type::real, {step}, 1, "1", "training accuracy"},
    {"learning_rate", Type::real, {step}, 1, "1", "learning rate of the last of these steps"},
    {"gradient_norm", Type::real, {step}, 1, "1", "norm of the last of these steps' gradient, before it is clipped"},
    {"seconds", Type::real, {step, rank, phase}, 3, "s", "time spent per phase; io is the writing of earlier records"},
    {"bytes_sent", Type::real, {step, rank, channel}, 3, "byte", "bytes a rank has to send, by the best algorithm"},
    {"messages", Type::integer, {step, rank, channel}, 3, "1", "collectives posted"},
    // Of the last of these steps, NaN where a layer travelled exactly, or no error was certified.
    {"factor_width", Type::real, {step, rank, layer}, 3, "1", "rows or columns that a layer's gradient travelled as"},
    {"certified_error", Type::real, {step, rank, layer}, 3, "1", "certified relative error of what travelled"},
    {"test_loss", Type::real, {epoch}, 1, "nat", "loss on the test samples, mean over rows"},
    {"test_accuracy", Type::real, {epoch}, 1, "1", "accuracy on the test samples"},
    {"training_seconds", Type::real, {epoch}, 1, "s", "time in training since the start, rank 0"},
    {"consensus_distance",
     Type::real,
     {epoch},
     1,
     "1",
     "rms distance of the ranks' models from their mean, over its norm"},
    // Of G = AᵀD, the weight gradient of a layer, with A its input and D its delta: of the rows of all ranks, and of
    // each rank's own ("local"). Singular values descend; where there are fewer than 32 the rest is zero. Angles are
    // NaN at the first record. docs/theory.md has the formulas.
    {"gradient_spectrum", Type::real, {probe_step, layer, value}, 3, "1", "singular values of G"},
    {"input_spectrum", Type::real, {probe_step, layer, value}, 3, "1", "singular values of A"},
    {"delta_spectrum", Type::real, {probe_step, layer, value}, 3, "1", "singular values of D"},
    {"gradient_measures", Type::real, {probe_step, layer, measure}, 3, "1", "measures of G"},
    {"gradient_angle", Type::real, {probe_step, layer}, 2, "rad", "turn of G's leading space since the last record"},
    {"applied_error", Type::real, {probe_step, layer}, 2, "1", "distance of what the exchange left from G, over ||G||"},
    {"gradient_spectrum_local", Type::real, {probe_step, rank, layer, value}, 4, "1", "singular values of own G"},
    {"input_spectrum_local", Type::real, {probe_step, rank, layer, value}, 4, "1", "singular values of own A"},
    {"delta_spectrum_local", Type::real, {probe_step, rank, layer, value}, 4, "1", "singular values of own D"},
    {"gradient_measures_local", Type::real, {probe_step, rank, layer, measure}, 4, "1", "measures of own G"},
    {"gradient_angle_local", Type::real, {probe_step, rank, layer}, 3, "rad", "as gradient_angle, of own G"},
    {"residual_norm_local", Type::real, {probe_step, rank, layer}, 3, "1", "norm of what error feedback keeps"},
    {"class_spectrum", Type::real, {probe_step, layer, label, value}, 4, "1", "singular values of a class' part of G"},
    {"class_measures", Type::real, {probe_step, layer, label, measure}, 4, "1", "measures of a class' part of G"},
};

// After a restart on other ranks the rank axis is that of the most ranks; what absent ones did not measure is 0 for
// seconds, bytes and messages, and NaN for the rest (since 1.3).
// Group /provenance: scalar texts.
//   run_id (the same through all restarts), restarts (a line each), both since 1.3, deck (resolved, TOML), model (a
//   line each layer, since 1.4), total_steps (when the run will be done, since 1.5), command, version, git_hash, compiler, flags, build_type, real, kokkos, kokkos_devices,
//   execution_space, blas, mpi, hdf5, host (rank 0's), ranks, threads (of a rank), transfer, start, end (UTC, ISO 8601)
// Group /split (since 1.4): class_counts, int64 (ranks, classes), the training samples of each class that each rank
//   keeps; not there where samples have several labels.
// Group /topology, of runs whose ranks hear some others only: mixing, float64 (graphs, ranks, ranks), the weights of the
//   graphs that follow one another, rows for who listens (since 1.5; no exchange of today leaves one).
// gradient_norm is there since 1.4, consensus_distance since 1.5 (0 where all ranks hold one model).
// Group /summary: scalars.
//   float64: samples_per_second (the figure of merit), training_seconds, bytes_per_step (sent by the exchange, mean
//            over ranks and steps; control and probe traffic not included), test_loss, test_accuracy
//   int64:   steps, parameters, peak_memory (bytes, largest rank)
//   uint64:  parameter_digest (of the bits of the final parameters; of rank 0 without exchange)
// Both are there from the start, but `end` and what /summary holds appear when the run completes.

}  // namespace minidad::schema
