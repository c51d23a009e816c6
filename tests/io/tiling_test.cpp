// SPDX-License-Identifier: BSD-3-Clause
#include "io/tiling.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <numeric>

namespace minidad {

namespace {

std::size_t product(std::vector<std::size_t> const& x) {
  return std::accumulate(x.begin(), x.end(), std::size_t{1}, std::multiplies<>());
}

}  // namespace

TEST(Tiling, CoversEveryElementOnceInChunksThatAreStretches) {
  using Shape = std::vector<std::size_t>;
  for (auto const& shape : {Shape{1}, Shape{7}, Shape{100}, Shape{5, 6}, Shape{6, 100}, Shape{3, 4, 5}, Shape{2, 9, 4}})
    for (std::size_t const most : {1, 3, 10, 20, 1000}) {
      Tiling const tiling(shape, most);
      EXPECT_LE(tiling.chunk_size(), most);
      EXPECT_EQ(tiling.chunk_size(), product(tiling.chunk()));
      std::size_t next = 0;
      for (std::size_t i = 0; i < tiling.chunks(); ++i) {
        auto const [begin, size] = tiling.stretch(i);
        EXPECT_EQ(begin, next);
        EXPECT_GE(size, 1u);
        next = begin + size;
        std::size_t offset = 0;  // of the chunk's origin
        for (std::size_t d = 0; d < shape.size(); ++d) offset = offset * shape[d] + tiling.origin(i)[d];
        EXPECT_EQ(offset, begin);
      }
      EXPECT_EQ(next, product(shape));
    }
}

TEST(Tiling, TakesWholeRowsWhileTheyFit) {
  EXPECT_EQ(Tiling({100, 10}, 35).chunk(), (std::vector<std::size_t>{3, 10}));
  EXPECT_EQ(Tiling({4, 100, 10}, 5).chunk(), (std::vector<std::size_t>{1, 1, 5}));
  EXPECT_EQ(Tiling({2, 3}, 100).chunk(), (std::vector<std::size_t>{2, 3}));
}

}  // namespace minidad
