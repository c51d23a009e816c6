// SPDX-License-Identifier: BSD-3-Clause
// Training images that are moved and mirrored at random.
#include <gtest/gtest.h>

#include <cmath>

#include "data/batch_loader.hpp"
#include "data/split.hpp"
#include "support/files.hpp"
#include "support/host_copy.hpp"

namespace minidad {

namespace {

/// Training images of one pixel's worth of pattern, moved at random.
class Moved : public testing::Test {
 protected:
  static constexpr std::size_t samples = 12, batch = 6, height = 5, width = 4;
  Moved() {
    std::string images, labels;
    for (std::size_t s = 0; s < samples; ++s) {
      for (std::size_t p = 0; p < height * width; ++p) images += static_cast<char>(1 + s * height * width + p);
      labels += '\0';
    }
    settings_.train_images = folder_.write("images", idx_bytes({samples, height, width}, images));
    settings_.train_labels = folder_.write("labels", idx_bytes({samples}, labels));
    settings_.deviation = 1.0 / 255;
  }
  /// The global batch, from so many ranks.
  std::vector<int> batch_of(std::size_t ranks, std::size_t epoch, std::size_t step) {
    std::vector<int> all;
    BatchPlan const plan(samples, batch, ranks);
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      ExecSpace const space;
      BatchLoader const loader(
          read_dataset(space, settings_, Subset::train, 1, training_share(space, settings_, 1, plan, rank)), settings_,
          batch);
      auto const rows = plan.ranks_at(step).rows_of(rank);
      Matrix const input("minidad::test::input", rows, height * width);
      loader.load(space, plan, rank, 9, epoch, step, input, Labels("minidad::test::label", rows));
      for (auto const x : host_copy(input)) all.push_back(static_cast<int>(std::lround(x)));
    }
    return all;
  }
  TemporaryFolder folder_;
  DataSettings settings_;
};

}  // namespace

TEST_F(Moved, DependsOnTheRowAndNotOnTheRank) {
  settings_.shift = 2;
  settings_.flip = true;
  for (std::size_t step = 0; step < 2; ++step) {
    auto const alone = batch_of(1, 1, step);
    EXPECT_EQ(batch_of(2, 1, step), alone);
    EXPECT_EQ(batch_of(3, 1, step), alone);
    EXPECT_NE(batch_of(1, 2, step), alone);
  }
}

TEST_F(Moved, IsOneOfTheMovesThatAreAllowed) {
  auto const plain = batch_of(1, 1, 0);
  settings_.shift = 1;
  settings_.flip = true;
  int moved = 0, mirrored = 0;
  for (std::size_t epoch = 0; epoch < 20; ++epoch) {
    settings_.shift = 0;
    settings_.flip = false;
    auto const from = batch_of(1, epoch, 0);
    settings_.shift = 1;
    settings_.flip = true;
    auto const to = batch_of(1, epoch, 0);
    for (std::size_t row = 0; row < batch; ++row) {
      int fits = 0;
      for (int dy = -1; dy <= 1; ++dy)
        for (int dx = -1; dx <= 1; ++dx)
          for (int flip = 0; flip < 2; ++flip) {
            bool same = true;
            for (int y = 0; y < static_cast<int>(height); ++y)
              for (int x = 0; x < static_cast<int>(width); ++x) {
                int const sy = y - dy, sx = (flip != 0 ? static_cast<int>(width) - 1 - x : x) - dx;
                bool const inside = sy >= 0 && sy < static_cast<int>(height) && sx >= 0 && sx < static_cast<int>(width);
                auto const at = [&](int r, int c) {
                  return row * height * width + static_cast<std::size_t>(r) * width + static_cast<std::size_t>(c);
                };
                same = same && to[at(y, x)] == (inside ? from[at(sy, sx)] : 0);
              }
            if (!same) continue;
            ++fits;
            moved += dy != 0 || dx != 0 ? 1 : 0;
            mirrored += flip;
          }
      EXPECT_EQ(fits, 1) << "row " << row;
    }
  }
  // Of 120 images: 8/9 are moved, 1/2 mirrored; 5 standard deviations around that.
  EXPECT_NEAR(moved, 106.7, 5 * 3.5);
  EXPECT_NEAR(mirrored, 60, 5 * 5.5);
}

}  // namespace minidad
