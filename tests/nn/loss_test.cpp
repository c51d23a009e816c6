// SPDX-License-Identifier: BSD-3-Clause
#include "nn/loss.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "support/host_copy.hpp"

namespace minidad {

constexpr double eps = std::numeric_limits<Real>::epsilon();

Labels labels_from(std::vector<std::int32_t> const& values) {
  Labels const labels("minidad::test::labels", values.size());
  auto const host = Kokkos::create_mirror_view(labels);
  std::copy(values.begin(), values.end(), host.data());
  Kokkos::deep_copy(labels, host);
  return labels;
}

TEST(SoftmaxCrossEntropy, MatchesItsDefinition) {
  std::vector<Real> const z{1, 2, 4, -1, 0, Real(0.5)};
  Matrix const delta("minidad::test::delta", 2, 3);
  SoftmaxCrossEntropy loss(2);
  loss.evaluate(ExecSpace(), matrix_from(z, 2, 3), labels_from({2, 0}), 0.25, delta);
  double total = 0;
  std::vector<Real> expected;
  for (std::size_t r = 0; r < 2; ++r) {
    double sum = 0;
    for (std::size_t c = 0; c < 3; ++c) sum += std::exp(static_cast<double>(z[3 * r + c]));
    std::size_t const right = r == 0 ? 2 : 0;
    total -= std::log(std::exp(static_cast<double>(z[3 * r + right])) / sum);
    for (std::size_t c = 0; c < 3; ++c)
      expected.push_back(
          static_cast<Real>(0.25 * (std::exp(static_cast<double>(z[3 * r + c])) / sum - (c == right ? 1 : 0))));
  }
  auto const sums = loss.collect(ExecSpace());
  EXPECT_NEAR(sums.loss, total, 8 * eps * total);
  EXPECT_EQ(sums.correct, 1);
  EXPECT_EQ(sums.rows, 2);
  EXPECT_LT(relative_distance(host_copy(delta), expected), 8 * eps);
}

TEST(SoftmaxCrossEntropy, SurvivesLargeLogits) {
  Matrix const delta("minidad::test::delta", 1, 2);
  SoftmaxCrossEntropy loss(1);
  loss.evaluate(ExecSpace(), matrix_from({Real(1e4), Real(-1e4)}, 1, 2), labels_from({1}), 1, delta);
  EXPECT_EQ(host_copy(delta), (std::vector<Real>{1, -1}));
  EXPECT_NEAR(loss.collect(ExecSpace()).loss, 2e4, 2e4 * eps);
}

TEST(SoftmaxCrossEntropy, AddsUpUntilCollected) {
  Matrix const z("minidad::test::z", 2, 2), delta("minidad::test::delta", 2, 2);  // ties go to class 0
  SoftmaxCrossEntropy loss(3);
  loss.evaluate(ExecSpace(), z, labels_from({0, 1}), 1, delta);
  loss.evaluate(ExecSpace(), first_rows(z, 1), labels_from({0}), 1, first_rows(delta, 1));
  auto const sums = loss.collect(ExecSpace());
  EXPECT_EQ(sums.rows, 3);
  EXPECT_EQ(sums.correct, 2);
  EXPECT_NEAR(sums.loss, 3 * std::log(2.0), 16 * eps);
  EXPECT_EQ(loss.collect(ExecSpace()).rows, 0);
}

TEST(SoftmaxCrossEntropy, AcceptsNoRows) {
  SoftmaxCrossEntropy loss(1);
  loss.evaluate(ExecSpace(), Matrix("minidad::test::z", 0, 4), labels_from({}), 1, Matrix("minidad::test::d", 0, 4));
  EXPECT_EQ(loss.collect(ExecSpace()).rows, 0);
}

TEST(SoftmaxCrossEntropy, DeltasOfARowSumToZero) {  // hence the rank of the last layer's gradient is below the classes
  Matrix const delta("minidad::test::delta", 4, 5);
  SoftmaxCrossEntropy loss(4);
  loss.evaluate(ExecSpace(), matrix_from(wavy(20), 4, 5), labels_from({0, 1, 2, 3}), 1, delta);
  auto const d = host_copy(delta);
  for (std::size_t r = 0; r < 4; ++r) {
    double sum = 0;
    for (std::size_t c = 0; c < 5; ++c) sum += d[5 * r + c];
    EXPECT_NEAR(sum, 0, 5 * eps);
  }
}

}  // namespace minidad
