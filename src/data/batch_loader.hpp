// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "data/batch_plan.hpp"
#include "data/dataset.hpp"

namespace minidad {

/// Puts batches together on the device: which sample stands in which row is computed there too.
class BatchLoader {
 public:
  /// `dataset` holds this rank's samples in the order of plan.place (training), or any (evaluation). A training set may
  /// hold fewer than the rank has places, but not none: place k then holds sample k modulo their number.
  BatchLoader(Dataset dataset, DataSettings const& settings, std::size_t max_rows);

  /// This rank's rows of the global batch at `step` of `epoch`; input.extent(0) rows of features, and their labels.
  /// Images are moved by up to data.shift pixels in each direction, zeros coming in, and mirrored (data.flip) with
  /// probability 1/2: a function of (seed, epoch, step, row of the global batch), so the same for any number of ranks
  /// and after a restart.
  void load(ExecSpace const& space, BatchPlan const& plan, std::size_t rank, std::uint64_t seed, std::size_t epoch,
            std::size_t step, Matrix const& input, Labels const& label) const;
  /// Samples [begin, begin + input.extent(0)), in the order they are stored, as they are.
  void load_in_order(ExecSpace const& space, std::size_t begin, Matrix const& input, Labels const& label) const;

  std::size_t samples() const { return dataset_.samples(); }
  Dataset const& dataset() const { return dataset_; }

 private:
  void copy(ExecSpace const& space, bool moved, Matrix const& input, Labels const& label) const;

  Dataset dataset_;
  std::int64_t shift_;
  bool flip_;
  Kokkos::View<std::uint32_t*, ExecSpace> chosen_;   ///< the sample of each row
  Kokkos::View<std::int32_t* [3], ExecSpace> move_;  ///< likewise: rows down, columns right, and whether mirrored
};

}  // namespace minidad
