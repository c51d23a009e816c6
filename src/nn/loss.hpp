// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "core/state.hpp"
#include "core/types.hpp"

namespace minidad {

/// Sums over the rows of some batches.
struct LossSums {
  double loss = 0;  ///< of -log p(label), in nats
  std::int64_t correct = 0;
  std::int64_t rows = 0;
};

/// Softmax cross-entropy. Sums stay on the device, one per row of the batch, until somebody asks: a step needs no look
/// at them from the host.
class SoftmaxCrossEntropy {
 public:
  explicit SoftmaxCrossEntropy(std::size_t max_rows);

  /// Value, accuracy and delta in one pass over the logits: delta(r, c) <- (p(r, c) - [c == label(r)]) scale.
  /// `scale` is 1 / rows of the global batch. logits, delta (rows, classes); labels in [0, classes).
  void evaluate(ExecSpace const& space, Matrix const& logits, Labels const& label, double scale, Matrix const& delta);

  /// The loss of this rank's rows of the last batch, summed; NaN or infinite if any is.
  double last_batch(ExecSpace const& space);

  /// What came together on this rank since the last call.
  LossSums collect(ExecSpace const& space);
  /// What came together so far.
  void visit_state(ExecSpace const& space, StateVisitor& visitor);

 private:
  Kokkos::View<double*, ExecSpace> row_loss_;
  Kokkos::View<std::int64_t*, ExecSpace> row_correct_;
  std::int64_t rows_ = 0;
  double running_ = 0;  // all losses since the last call of collect(), as of the last call of last_batch()
  LossSums carried_;    // from before the state was last saved or loaded
};

}  // namespace minidad
