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

  /// This rank's rows of the global batch at `step` of `epoch`; input.extent(0) rows of features.
  void load(ExecSpace const& space, BatchPlan const& plan, std::size_t rank, std::uint64_t seed, std::size_t epoch,
            std::size_t step, Matrix const& input, Labels const& label) const;
  /// Samples [begin, begin + input.extent(0)), in the order they are stored.
  void load_in_order(ExecSpace const& space, std::size_t begin, Matrix const& input, Labels const& label) const;

  std::size_t samples() const { return dataset_.samples(); }

 private:
  Dataset dataset_;
  Real scale_, shift_;
  Kokkos::View<std::uint32_t*, ExecSpace> chosen_;  ///< the sample of each row
};

}  // namespace minidad
