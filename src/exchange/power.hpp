// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <vector>

#include "compress/gradient_share.hpp"
#include "exchange/exact_part.hpp"
#include "exchange/exchange.hpp"
#include "exchange/local_rows.hpp"
#include "linalg/row_basis.hpp"
#include "linalg/small_dense.hpp"
#include "linalg/small_transfer.hpp"

namespace minidad {

/// A low-rank approximation of the *common* gradient G = sum of the ranks' shares G_s, by a power iteration that the
/// ranks do together, warm-started from step to step:
///   P <- orth(sum of G_s Q);   Q <- sum of G_sᵀ P;   gradient P Qᵀ = P Pᵀ G.
/// Two all-reduces a sweep, whose size does not grow with the ranks. Not exact, but a projection of G.
///   "powersgd"   forms G_s, and feeds back all that P Qᵀ leaves out.   Vogels et al. 2019 (arXiv 1905.13727)
///   "power_dad"  keeps G_s = AᵀD as its rows, so a product costs 2 N r (h_in + h_out) flops and G_s is never formed. Its
///                feedback keeps a few rows.
/// Orthonormalising is done after the sum; before it, ranks would span different spaces.
///
/// Bytes sent per rank and step: 2 (S-1)/S w [r (h_in + h_out) sweeps over the compressed layers + ExactPart].
///
/// With a budget epsilon (power_dad), columns are added in rounds until the certified error is within it or `width`
/// columns are there. What is certified: ||G - P Pᵀ G||_F <= E = sum over ranks of ||G_s - P Pᵀ G_s||_F, which every
/// rank knows of itself, so the relative error is at most E / sqrt(||Q||²_F + E²). The triangle inequality makes E up
/// to sqrt(S) times too large for shares that have nothing to do with each other, and more for shares that cancel. The
/// next step starts with as many columns as, by the spectrum of Q, would have sufficed.
class Power final : public Exchange {
 public:
  Power(std::string const& method, Communicator& comm, std::vector<LayerShape> const& shapes, std::size_t max_rows,
        LowRankSettings const& settings, std::uint64_t seed, Parameters gradient);
  void reduce(BackwardWalk& walk, RowLayout const& ranks) override;
  std::vector<Fidelity> fidelity() const override;
  static ExchangeForecast forecast(std::string const& method, std::vector<LayerShape> const& shapes, int ranks,
                                   std::size_t rows, LowRankSettings const& settings);

  bool write_kept(ExecSpace const& space, std::size_t layer, Matrix const& dense) const override;
  void visit_state(StateVisitor& visitor) override;

 private:
  struct Layer {
    std::size_t index;
    std::unique_ptr<GradientShare> share;
    RowBasis orthonormal;
    Factors common;  // (cap, in) = Pᵀ, (cap, out) = Qᵀ, of which `width` rows are in use
    Matrix start;    // (cap, out): where the next iteration begins
    Matrix mine;     // (cap, out): what common.delta is the sum of, this rank's part
    std::size_t cap, width = 0, next = 0, adding = 0;
    Factors fresh{};                        // the rows being added, where they stand in the messages
    double share_norm = 0, share_kept = 0;  // squares, with a budget
    double error = 0;
  };

  void walk_down(BackwardWalk& walk);
  void add_columns(BackwardWalk const& walk, bool first);
  void form_inputs(ExecSpace const& space, bool with_exact);
  void orthonormalise(ExecSpace const& space, Layer& layer) const;
  void form_deltas(ExecSpace const& space, bool last_sweep);
  void report_left_out(ExecSpace const& space);
  bool certify(ExecSpace const& space);
  void certify(ExecSpace const& space, Layer& layer, double left_out);

  Communicator& comm_;
  std::vector<LayerShape> shapes_;
  LowRankSettings settings_;
  Parameters gradient_;
  std::uint64_t seed_, calls_ = 0;
  std::vector<bool> compressed_;
  LocalRows rows_;
  ExactPart exact_;
  std::vector<Layer> layers_;  // the compressed ones
  Vector input_message_, delta_message_;
  std::unique_ptr<SumInPlace> input_sum_, delta_sum_;
  std::vector<std::size_t> exact_sizes_, input_sizes_, delta_sizes_;
  Matrix left_out_;  // (1, layers), in the delta message
  // for certify(), with a budget:
  DoubleMatrix wide_, product_, double_left_out_;
  Matrix rotation_, turned_;
  SmallTransfer transfer_;
  SymmetricEigen eigen_;
  std::vector<double> host_;
};

}  // namespace minidad
