// SPDX-License-Identifier: BSD-3-Clause
#include "train/consensus.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/fill.hpp"
#include "support/small_problem.hpp"
#include "support/test_comm.hpp"

namespace minidad {

TEST(Consensus, IsTheDistanceFromTheMeanInPieces) {
  ExecSpace const space;
  auto& comm = test_comm();
  Consensus consensus(comm);
  Vector const parameters("minidad::test::parameters", 300'001);  // more than a piece
  fill(space, parameters, static_cast<Real>(3));
  EXPECT_EQ(consensus.distance(space, parameters), 0);
  fill(space, parameters, static_cast<Real>(2 + comm.rank()));
  double const ranks = comm.size(), mean = 2 + (ranks - 1) / 2, variance = (ranks * ranks - 1) / 12;
  EXPECT_DOUBLE_EQ(consensus.distance(space, parameters), std::sqrt(variance) / mean);
}

TEST(Consensus, GrowsWhereRanksAreAloneAndIsZeroWhereTheyAreReplicas) {
  for (std::string const method : {"none", "dad"}) {
    SmallProblem problem(test_comm(), {.exchange = {.method = method}, .training = {.epochs = 3, .seed = 3}});
    std::vector<double> distances;
    problem.trainer.run({.epoch = [&](EpochRecord const& record) { distances.push_back(record.consensus_distance); }});
    ASSERT_EQ(distances.size(), 3u);
    bool const apart = method == "none" && test_comm().size() > 1;
    EXPECT_EQ(distances[0] > 0, apart) << method;
    EXPECT_EQ(distances[2] > distances[0], apart) << method;
  }
}

}  // namespace minidad
