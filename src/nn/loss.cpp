// SPDX-License-Identifier: BSD-3-Clause
#include "nn/loss.hpp"

#include <utility>

#include "core/error.hpp"
#include "core/kokkos_compat.hpp"

namespace minidad {

SoftmaxCrossEntropy::SoftmaxCrossEntropy(std::size_t max_rows)
    : row_loss_("minidad::nn::row_loss", max_rows), row_correct_("minidad::nn::row_correct", max_rows) {}

void SoftmaxCrossEntropy::evaluate(ExecSpace const& space, Matrix const& logits, Labels const& label, double scale,
                                   Matrix const& delta) {
  auto const rows = logits.extent(0), classes = logits.extent(1);
  require(
      rows <= row_loss_.extent(0) && label.extent(0) >= rows && delta.extent(0) == rows && delta.extent(1) == classes,
      "SoftmaxCrossEntropy: shapes do not fit");
  auto const row_loss = row_loss_;
  auto const row_correct = row_correct_;
  auto const factor = static_cast<Real>(scale);
  using Policy = Kokkos::TeamPolicy<ExecSpace>;
  // For each row:  top = max z;  p = exp(z - top);  sum = Σ p;  loss = log(sum) - (z[label] - top);
  //                delta = (p / sum - [c == label]) scale.
  Kokkos::parallel_for(
      "minidad::nn::softmax_cross_entropy", Policy(space, static_cast<int>(rows), Kokkos::AUTO),
      KOKKOS_LAMBDA(Policy::member_type const& team) {
        auto const row = static_cast<std::size_t>(team.league_rank());
        auto const right = static_cast<std::size_t>(label(row));
        using Top = Kokkos::MaxLoc<Real, std::size_t>;
        Top::value_type top;
        Kokkos::parallel_reduce(
            Kokkos::TeamThreadRange(team, classes),
            [&](std::size_t c, Top::value_type& best) {
              if (logits(row, c) > best.val) best = {logits(row, c), c};
            },
            Top(top));
        Real sum = 0;
        Kokkos::parallel_reduce(
            Kokkos::TeamThreadRange(team, classes),
            [&](std::size_t c, Real& partial) {
              Real const p = math::exp(logits(row, c) - top.val);
              delta(row, c) = p;
              partial += p;
            },
            sum);
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, classes), [&](std::size_t c) {
          delta(row, c) = (delta(row, c) / sum - (c == right ? Real(1) : Real(0))) * factor;
        });
        Kokkos::single(Kokkos::PerTeam(team), [&] {
          row_loss(row) += static_cast<double>(math::log(sum) - (logits(row, right) - top.val));
          row_correct(row) += top.loc == right ? 1 : 0;
        });
      });
  rows_ += static_cast<std::int64_t>(rows);
}

double SoftmaxCrossEntropy::last_batch(ExecSpace const& space) {
  auto const row_loss = row_loss_;
  double running = 0;
  Kokkos::parallel_reduce(
      "minidad::nn::running_loss", Kokkos::RangePolicy<ExecSpace>(space, 0, row_loss.extent(0)),
      KOKKOS_LAMBDA(std::size_t row, double& sum) { sum += row_loss(row); }, running);
  return running - std::exchange(running_, running);
}

LossSums SoftmaxCrossEntropy::collect(ExecSpace const& space) {
  auto const row_loss = row_loss_;
  auto const row_correct = row_correct_;
  LossSums sums;
  Kokkos::parallel_reduce(
      "minidad::nn::collect_loss", Kokkos::RangePolicy<ExecSpace>(space, 0, row_loss.extent(0)),
      KOKKOS_LAMBDA(std::size_t row, double& loss, std::int64_t& correct) {
        loss += row_loss(row);
        correct += row_correct(row);
        row_loss(row) = 0;
        row_correct(row) = 0;
      },
      sums.loss, sums.correct);
  running_ = 0;
  auto const before = std::exchange(carried_, {});
  return {sums.loss + before.loss, sums.correct + before.correct, std::exchange(rows_, 0) + before.rows};
}

void SoftmaxCrossEntropy::visit_state(ExecSpace const& space, StateVisitor& visitor) {
  carried_ = collect(space);
  visitor.value("loss", Scope::summand, carried_.loss);
  visitor.value("correct", Scope::summand, carried_.correct);
  visitor.value("rows", Scope::summand, carried_.rows);
}

}  // namespace minidad
