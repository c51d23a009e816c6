// SPDX-License-Identifier: BSD-3-Clause
#include "data/dataset.hpp"

#include <gtest/gtest.h>

#include "data/batch_loader.hpp"
#include "support/files.hpp"
#include "support/host_copy.hpp"

namespace minidad {

Keep everything(std::size_t count) {
  return {count, [](std::size_t i) { return i; }};
}

struct HostDataset {
  ByteMatrix::host_mirror_type features;
  Labels::host_mirror_type label;
};
HostDataset on_host_copy(Dataset const& data) {
  HostDataset const copy{Kokkos::create_mirror_view(data.features), Kokkos::create_mirror_view(data.label)};
  Kokkos::deep_copy(copy.features, data.features);
  Kokkos::deep_copy(copy.label, data.label);
  return copy;
}

class IdxData : public testing::Test {
 protected:
  IdxData() {
    settings_.train_images = folder_.write("images", idx_bytes({3, 1, 2}, {0, 51, 102, static_cast<char>(153), 5, 6}));
    settings_.train_labels = folder_.write("labels", idx_bytes({3}, {1, 0, 2}));
    settings_.classes = 3;
  }
  TemporaryFolder folder_;
  DataSettings settings_;
  ExecSpace space_;
};

TEST_F(IdxData, IsReadWhereItIsKept) {
  EXPECT_EQ(dataset_size(settings_, Subset::train).samples, 3u);
  EXPECT_EQ(dataset_size(settings_, Subset::train).shape.size(), 2u);
  // Keep samples 2 and 0, in that order.
  auto const data = read_dataset(space_, settings_, Subset::train, 1, {2, [](std::size_t i) {
                                                                         return i == 2 ? 0 : i == 0 ? 1 : 2;
                                                                       }});
  auto const found = on_host_copy(data);
  EXPECT_EQ(found.features(0, 0), 5);
  EXPECT_EQ(found.features(1, 1), 51);
  EXPECT_EQ(found.label(0), 2);
  EXPECT_EQ(found.label(1), 1);
}

TEST_F(IdxData, IsNormalisedWhenLoaded) {
  settings_.mean = 0.2;
  settings_.deviation = 0.5;
  BatchLoader const loader(read_dataset(space_, settings_, Subset::train, 1, everything(3)), settings_, 2);
  Matrix const input("minidad::test::input", 2, 2);
  Labels const label("minidad::test::label", 2);
  loader.load_in_order(space_, 0, input, label);
  auto const found = host_copy(input);
  double const expected[] = {-0.4, 0, 0.4, 0.8};  // bytes 0, 51, 102, 153 are 0, .2, .4, .6
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(found[i], expected[i], 4 * std::numeric_limits<Real>::epsilon());
}

TEST_F(IdxData, RefusesALabelOutsideTheClasses) {
  settings_.classes = 2;
  expect_error(ExitCode::user, {"labels", "label 2 of item 2", "data.classes = 2"},
               [&] { read_dataset(space_, settings_, Subset::train, 1, everything(3)); });
}

TEST_F(IdxData, RefusesImagesAndLabelsOfDifferentNumber) {
  settings_.train_labels = folder_.write("labels", idx_bytes({2}, {1, 0}));
  expect_error(ExitCode::user, {"3 images", "2 labels"}, [&] { dataset_size(settings_, Subset::train); });
}

TEST_F(IdxData, CanBeLimited) {
  settings_.train_limit = 2;
  EXPECT_EQ(dataset_size(settings_, Subset::train).samples, 2u);
}

TEST(SyntheticData, DependsOnTheSampleAndNotOnWhoKeepsIt) {
  ExecSpace const space;
  DataSettings settings{.source = "synthetic"};
  settings.features = 16;
  settings.train_samples = 50;
  auto const all = read_dataset(space, settings, Subset::train, 3, everything(50));
  auto const some =
      read_dataset(space, settings, Subset::train, 3, {25, [](std::size_t i) { return i % 2 == 1 ? i / 2 : 25; }});
  auto const all_host = on_host_copy(all), some_host = on_host_copy(some);
  for (std::size_t i = 0; i < 25; ++i) {
    for (std::size_t j = 0; j < 16; ++j) EXPECT_EQ(some_host.features(i, j), all_host.features(2 * i + 1, j));
    EXPECT_EQ(some_host.label(i), all_host.label(2 * i + 1));
  }
}

TEST(SyntheticData, UsesItsSeedAndAllItsClasses) {
  ExecSpace const space;
  DataSettings settings{.source = "synthetic"};
  settings.features = 16;
  settings.classes = 4;
  settings.train_samples = 400;
  auto const a = on_host_copy(read_dataset(space, settings, Subset::train, 1, everything(400)));
  auto const b = on_host_copy(read_dataset(space, settings, Subset::train, 2, everything(400)));
  std::array<int, 4> count{};
  int different = 0;
  for (std::size_t i = 0; i < 400; ++i) {
    ASSERT_TRUE(a.label(i) >= 0 && a.label(i) < 4);
    ++count[static_cast<std::size_t>(a.label(i))];
    different += a.features(i, 0) != b.features(i, 0) ? 1 : 0;
  }
  for (int const n : count) EXPECT_GT(n, 0);
  EXPECT_GT(different, 350);
}

}  // namespace minidad
