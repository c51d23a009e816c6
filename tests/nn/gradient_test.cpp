// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include "support/layer_check.hpp"

namespace minidad {

TEST(Gradient, OfSoftmaxRegressionMatchesDifferences) {
  expect_gradients_match_differences({"dense 3"}, {.input = {.channels = 5}, .classes = 3});
}

class GradientThrough : public testing::TestWithParam<char const*> {};

// For those with a kink: the batch has no pre-activation within h of it, where differences mean nothing.
TEST_P(GradientThrough, MatchesDifferences) {
  expect_gradients_match_differences(
      {std::string("dense 4 ") + GetParam(), std::string("dense 6 ") + GetParam(), "dense 3"},
      {.input = {.channels = 5}, .classes = 3});
}
INSTANTIATE_TEST_SUITE_P(Activations, GradientThrough, testing::ValuesIn(activation_names),
                         [](auto const& info) { return std::string(info.param); });

TEST(Gradient, OfDenseLayersOnSequencesMatchesDifferences) {
  expect_gradients_match_differences({"dense 4 tanh", "dense 3"},
                                     {.input = {.height = 5, .channels = 2}, .classes = 3, .labels = 5});
}

TEST(Gradient, ThroughAnActivationOfItsOwnMatchesDifferences) {
  expect_gradients_match_differences({"dense 4", "tanh", "dense 3"}, {.input = {.channels = 5}, .classes = 3});
}

TEST(Gradient, ThroughResidualBlocksMatchesDifferences) {
  expect_gradients_match_differences({"dense 4 tanh", "residual", "dense 5 sigmoid", "residual", "dense 5 tanh", "end",
                                      "dense 4", "end tanh", "dense 3"},
                                     {.input = {.channels = 5}, .classes = 3});
}

TEST(Gradient, OfReshapedImagesMatchesDifferences) {
  expect_gradients_match_differences({"sequence", "dense 2 tanh", "flatten", "dense 3"},
                                     {.input = {.height = 3, .width = 2, .channels = 2}, .classes = 3});
}

}  // namespace minidad
