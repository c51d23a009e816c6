// SPDX-License-Identifier: BSD-3-Clause
#include "compress/gradient_share.hpp"

#include "core/fill.hpp"
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
  void settle(ExecSpace const& space, Factors const& common, int ranks) override {
    if (feedback_) gemm(space, Op::transpose, Op::none, Real(-1) / Real(ranks), common.input, common.delta, 1, g_);
  }
  double norm_squared(ExecSpace const& space) override { return sum_of_squares(space, g_); }
  void write_kept(ExecSpace const& space, Matrix const& dense) const override {
    if (feedback_)
      copy_rows(space, g_, dense);
    else
      fill(space, dense, 0);
  }

 private:
  bool feedback_;
  Matrix g_;  // between steps: what is kept
};

class RowShare final : public GradientShare {
 public:
  RowShare(ReducerShape shape, std::size_t width, CompressorSettings const& feedback, std::uint64_t seed)
      : kept_(feedback.width), norm_({shape.in, shape.out, shape.max_rows + kept_, 0}) {
    shape.max_rows += kept_;
    coordinates_ = Matrix("minidad::compress::coordinates", shape.max_rows, width);
    if (kept_ == 0) return;
    stacked_ = {Matrix("minidad::compress::stacked_input", shape.max_rows, shape.in),
                Matrix("minidad::compress::stacked_delta", shape.max_rows, shape.out)};
    compress_ = std::make_unique<RowCompressor>(feedback, shape, seed);
  }

  void take(ExecSpace const& space, Factors const& stats) override {
    rows_ = stats;
    if (kept_ == 0) return;
    rows_ = first_rows(stacked_, kept_ + stats.rows());
    auto const below = rows_of(stacked_, kept_, rows_.rows());
    copy_rows(space, stats.input, below.input);
    copy_rows(space, stats.delta, below.delta);
  }
  void multiply_from_delta_side(ExecSpace const& space, Matrix const& q, Matrix const& p) override {
    multiply(space, q, rows_.delta, rows_.input, p);
  }
  void multiply_from_input_side(ExecSpace const& space, Matrix const& p, Matrix const& q) override {
    multiply(space, p, rows_.input, rows_.delta, q);
  }
  void settle(ExecSpace const& space, Factors const& common, int) override {
    if (kept_ == 0) return;
    auto const w = corner_of(coordinates_, rows_.rows(), common.rows());
    gemm(space, Op::none, Op::transpose, 1, rows_.input, common.input, 0, w);
    gemm(space, Op::none, Op::none, -1, w, common.input, 1, rows_.input);
    auto const rest = (*compress_)(space, rows_);
    auto const memory = first_rows(stacked_, kept_);
    copy_rows(space, rest.input, memory.input);
    copy_rows(space, rest.delta, memory.delta);
  }
  double norm_squared(ExecSpace const& space) override { return norm_(space, rows_); }
  void write_kept(ExecSpace const& space, Matrix const& dense) const override {
    if (kept_ == 0) return fill(space, dense, 0);
    auto const memory = first_rows(stacked_, kept_);
    gemm(space, Op::transpose, Op::none, 1, memory.input, memory.delta, 0, dense);
  }

 private:
  /// out <- (x fromᵀ) to, by way of the rows.
  void multiply(ExecSpace const& space, Matrix const& x, Matrix const& from, Matrix const& to, Matrix const& out) {
    auto const w = corner_of(coordinates_, from.extent(0), x.extent(0));
    gemm(space, Op::none, Op::transpose, 1, from, x, 0, w);
    gemm(space, Op::transpose, Op::none, 1, w, to, 0, out);
  }

  std::size_t kept_;
  Factors rows_;
  Factors stacked_;     // the kept rows, then the given ones
  Matrix coordinates_;  // (rows, width)
  std::unique_ptr<RowCompressor> compress_;
  ProductNorm norm_;
};

}  // namespace

std::unique_ptr<GradientShare> make_dense_share(ReducerShape const& shape, bool feedback) {
  return std::make_unique<DenseShare>(shape, feedback);
}

std::unique_ptr<GradientShare> make_row_share(ReducerShape const& shape, std::size_t width,
                                              CompressorSettings const& feedback, std::uint64_t seed) {
  return std::make_unique<RowShare>(shape, width, feedback, seed);
}

}  // namespace minidad
