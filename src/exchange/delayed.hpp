// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "exchange/dsgd.hpp"

namespace minidad {

/// Exact for the first steps, while gradients change fastest, and another exchange from then on.
class Delayed final : public Exchange {
 public:
  Delayed(Dsgd before, std::unique_ptr<Exchange> after, std::int64_t start_step)
      : before_(std::move(before)), after_(std::move(after)), left_(start_step) {}

  void reduce(BackwardWalk& walk, RowLayout const& ranks) override {
    if (left_ == 0) return after_->reduce(walk, ranks);
    --left_;
    before_.reduce(walk, ranks);
  }
  std::vector<Fidelity> fidelity() const override { return left_ > 0 ? std::vector<Fidelity>{} : after_->fidelity(); }
  bool write_kept(ExecSpace const& space, std::size_t layer, Matrix const& dense) const override {
    return after_->write_kept(space, layer, dense);
  }
  void visit_state(StateVisitor& visitor) override {
    visitor.value("left", Scope::common, left_);
    after_->visit_state(visitor);
  }

 private:
  Dsgd before_;
  std::unique_ptr<Exchange> after_;
  std::int64_t left_;
};

}  // namespace minidad
