// SPDX-License-Identifier: BSD-3-Clause
#include "compress/gradient_share.hpp"

#include "linalg/gemm.hpp"
#include "linalg/rows.hpp"

namespace minidad {

namespace {

class DenseShare final : public GradientShare {
 public:
  DenseShare(ReducerShape const& shape, bool feedback)
      : feedback_(feedback), g_("minidad::compress::dense_share", shape.in, shape.out) {}

  void take(ExecSpace const& space, Factors const& stats) override {
    gemm(space, Op::transpose, Op::none, 1, stats.input, stats.delta, feedback_ ? 1 : 0, g_);
  }
  void multiply_from_delta_side(ExecSpace const& space, Matrix const& q, Matrix const& p) override {
    gemm(space, Op::none, Op::transpose, 1, q, g_, 0, p);
  }
  void multiply_from_input_side(ExecSpace const& space, Matrix const& p, Matrix const& q) override {
    gemm(space, Op::none, Op::none, 1, p, g_, 0, q);
  }
  void settle(ExecSpace const& space, Factors const& common, Matrix const&, int ranks) override {
    if (feedback_) gemm(space, Op::transpose, Op::none, Real(-1) / Real(ranks), common.input, common.delta, 1, g_);
  }
  double norm_squared(ExecSpace const& space) override { return sum_of_squares(space, g_); }
  bool write_kept(ExecSpace const& space, Matrix const& dense) const override {
    if (feedback_) copy_rows(space, g_, dense);
    return feedback_;
  }
  void visit_state(StateVisitor& visitor) override {
    if (feedback_) visitor.array("kept", Scope::summand, g_);
  }

 private:
  bool feedback_;
  Matrix g_;  // between steps: what is kept
};

class RowShare final : public GradientShare {
 public:
  RowShare(ReducerShape shape, std::size_t width, MemorySettings const& memory, std::uint64_t seed)
      : shape_(shape), memory_(memory, {shape.in, shape.out, shape.max_rows, width}, seed) {
    make_room(width);
  }

  void take(ExecSpace const& space, Factors const& stats) override { rows_ = memory_.stack(space, stats); }
  void multiply_from_delta_side(ExecSpace const& space, Matrix const& q, Matrix const& p) override {
    product_through_rows(space, q, rows_.delta, rows_.input, coordinates_, p);
  }
  void multiply_from_input_side(ExecSpace const& space, Matrix const& p, Matrix const& q) override {
    product_through_rows(space, p, rows_.input, rows_.delta, coordinates_, q);
  }
  void settle(ExecSpace const& space, Factors const& common, Matrix const& mine, int) override {
    memory_.settle(space, {common.input, mine});
  }
  double norm_squared(ExecSpace const& space) override { return (*norm_)(space, rows_); }
  bool write_kept(ExecSpace const& space, Matrix const& dense) const override {
    return memory_.write_kept(space, dense, 0);
  }
  void visit_state(StateVisitor& visitor) override {
    memory_.visit_state(visitor);
    if (memory_.room() > coordinates_.extent(0)) make_room(coordinates_.extent(1));
  }

 private:
  void make_room(std::size_t width) {
    shape_.max_rows = memory_.room();
    coordinates_ = Matrix("minidad::compress::coordinates", shape_.max_rows, width);
    norm_ = std::make_unique<ProductNorm>(shape_);
  }

  ReducerShape shape_;
  RowMemory memory_;
  Factors rows_;        // the kept ones and this step's
  Matrix coordinates_;  // (rows, width)
  std::unique_ptr<ProductNorm> norm_;
};

}  // namespace

std::unique_ptr<GradientShare> make_dense_share(ReducerShape const& shape, bool feedback) {
  return std::make_unique<DenseShare>(shape, feedback);
}

std::unique_ptr<GradientShare> make_row_share(ReducerShape const& shape, std::size_t width,
                                              MemorySettings const& memory, std::uint64_t seed) {
  return std::make_unique<RowShare>(shape, width, memory, seed);
}

}  // namespace minidad
