// SPDX-License-Identifier: BSD-3-Clause
#include "data/split.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "data/batch_loader.hpp"
#include "support/files.hpp"
#include "support/host_copy.hpp"

namespace minidad {

TEST(LabelGroup, GivesEveryClassToOneRankAndEveryRankAClass) {
  for (std::size_t const classes : {2, 5, 10})
    for (std::size_t ranks = 1; ranks <= classes; ++ranks) {
      std::int32_t next = 0;
      for (std::size_t rank = 0; rank < ranks; ++rank) {
        auto const [first, last] = label_group(classes, rank, ranks);
        EXPECT_EQ(first, next);
        EXPECT_GT(last, first);
        next = last;
      }
      EXPECT_EQ(next, static_cast<std::int32_t>(classes));
    }
}

/// Samples of six classes whose feature is their own number; three ranks have 2 classes each. Of 60 samples rank 0 finds
/// 7, rank 1 finds 20, rank 2 finds 33, mixed in the file.
class ClassSplit : public testing::Test {
 protected:
  static constexpr std::size_t ranks = 3;

  void write(std::size_t samples) {
    std::string images, labels;
    std::size_t others = 0;
    label_.clear();
    for (std::size_t i = 0; i < samples; ++i) {
      std::int32_t group = 0;
      if (i % 9 != 0) {
        auto const turn = others++ % 8;
        group = turn == 0 || turn == 2 || turn == 5 ? 1 : 2;
      }
      label_.push_back(2 * group + static_cast<std::int32_t>(i % 2));
      images += static_cast<char>(i);
      labels += static_cast<char>(label_.back());
    }
    auto const n = static_cast<std::uint32_t>(samples);
    settings_.train_images = folder_.write("images", idx_bytes({n, 1, 1}, images));
    settings_.train_labels = folder_.write("labels", idx_bytes({n}, labels));
    settings_.classes = 6;
    settings_.deviation = 1.0 / 255;  // the feature is the byte, to rounding
    settings_.split = "class";
  }
  BatchLoader loader(BatchPlan const& plan, std::size_t rank) const {
    return {read_dataset(space_, settings_, Subset::train, 1, training_share(space_, settings_, 1, plan, rank)),
            settings_, plan.deal().batch};
  }
  /// The samples that a rank meets at a step, in row order; their labels are looked at on the way.
  std::vector<std::size_t> batch_of(BatchLoader const& from, BatchPlan const& plan, std::size_t rank,
                                    std::size_t step) const {
    auto const rows = plan.ranks_at(step).rows_of(rank);
    Matrix const input("minidad::test::input", rows, 1);
    Labels const label("minidad::test::label", rows);
    from.load(space_, plan, rank, 3, 1, step, input, label);
    auto const label_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), label);
    std::vector<std::size_t> samples;
    for (auto const feature : host_copy(input)) {
      EXPECT_EQ(label_host(samples.size()), label_[static_cast<std::size_t>(std::lround(feature))]);
      samples.push_back(static_cast<std::size_t>(std::lround(feature)));
    }
    return samples;
  }

  TemporaryFolder folder_;
  DataSettings settings_;
  std::vector<std::int32_t> label_;
  ExecSpace space_;
};

// Places are 20 each, or 17 to 18 with a ragged last batch: rank 0 has too few samples, rank 2 too many.
TEST_F(ClassSplit, FillsTheRanksPlacesWithSamplesOfItsOwnClasses) {
  for (auto const& [samples, batch] : {std::pair<std::size_t, std::size_t>{60, 12}, {53, 14}}) {
    write(samples);
    BatchPlan const plan(samples, batch, ranks);
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      std::vector<std::size_t> group;  // in the order of the file
      for (std::size_t i = 0; i < samples; ++i)
        if (label_[i] / 2 == static_cast<std::int32_t>(rank)) group.push_back(i);
      std::map<std::size_t, std::size_t> expected, found;  // sample -> how often in an epoch
      for (std::size_t k = 0; k < plan.samples_of(rank); ++k) ++expected[group[k % group.size()]];
      auto const own = loader(plan, rank);
      EXPECT_EQ(own.samples(), std::min(group.size(), plan.samples_of(rank)));
      for (std::size_t step = 0; step < plan.steps_per_epoch(); ++step)
        for (auto const sample : batch_of(own, plan, rank, step)) ++found[sample];
      EXPECT_EQ(found, expected) << "rank " << rank << " of " << samples << " samples";
    }
  }
}

TEST_F(ClassSplit, OfOneRankIsTheEvenDeal) {
  write(53);
  BatchPlan const plan(53, 14, 1);
  auto const by_class = loader(plan, 0);
  settings_.split = "iid";
  auto const dealt = loader(plan, 0);
  for (std::size_t step = 0; step < plan.steps_per_epoch(); ++step)
    EXPECT_EQ(batch_of(by_class, plan, 0, step), batch_of(dealt, plan, 0, step)) << "step " << step;
}

TEST_F(ClassSplit, RefusesARankWithoutSamples) {
  write(60);
  BatchPlan const plan(9, 3, 3);
  settings_.train_limit = 9;
  std::string labels;
  for (int i = 0; i < 60; ++i) labels += static_cast<char>(i < 9 ? i % 4 : 5);  // 4 and 5: past train_limit only
  settings_.train_labels = folder_.write("labels", idx_bytes({60}, labels));
  training_share(space_, settings_, 1, plan, 1);
  expect_error(ExitCode::user, {"data.split", "4 ... 5", "rank 2"},
               [&] { training_share(space_, settings_, 1, plan, 2); });
}

TEST_F(ClassSplit, RefusesALabelOutsideTheClasses) {
  write(60);
  settings_.classes = 5;
  expect_error(ExitCode::user, {"labels", "data.classes = 5"},
               [&] { training_share(space_, settings_, 1, BatchPlan(60, 12, 1), 0); });
}

TEST(ReadLabels, OfSyntheticDataAreThoseOfItsSamples) {
  ExecSpace const space;
  DataSettings settings{.source = "synthetic", .classes = 4};
  settings.features = 8;
  settings.train_samples = 5000;  // more than are generated at a time
  auto const labels = read_labels(space, settings, Subset::train, 3);
  auto const all = read_dataset(space, settings, Subset::train, 3, {5000, [](std::size_t i) { return i; }});
  auto const label_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), all.label);
  ASSERT_EQ(labels.size(), 5000u);
  for (std::size_t i = 0; i < labels.size(); ++i) ASSERT_EQ(labels[i], label_host(i)) << "sample " << i;
}

TEST(SkewedShare, DealsPartOfEachClassSorted) {
  std::vector<std::int32_t> labels(600);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(i % 3);
  for (double const skew : {0.0, 0.8, 1.0}) {
    std::vector<int> seen(labels.size(), 0);
    for (std::size_t rank = 0; rank < 3; ++rank) {
      std::vector<int> of_class(3, 0);
      for (auto const i : skewed_share(labels, 3, skew, 1, rank, 3)) {
        ++seen[i];
        ++of_class[static_cast<std::size_t>(labels[i])];
      }
      EXPECT_EQ(of_class[0] + of_class[1] + of_class[2], 200);
      // 200 skew of its own class and a third of all that is mixed; that is drawn without replacement, within 5
      // deviations.
      double const mixed = 200 * (1 - skew), expected = 200 * skew + mixed / 3;
      EXPECT_NEAR(of_class[rank], expected, 5 * std::sqrt(mixed * 2 / 9 * 2 / 3) + 1e-9) << "skew " << skew;
    }
    for (int const n : seen) EXPECT_EQ(n, 1);
  }
}

TEST(DirichletShare, DealsEverySampleOnceAndByItsLaw) {
  constexpr std::size_t ranks = 4, classes = 50, of_class = 400;
  std::vector<std::int32_t> labels(classes * of_class);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(i % classes);
  for (double const alpha : {0.05, 1.0, 20.0}) {
    std::vector<int> seen(labels.size(), 0);
    double squares = 0;
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      std::vector<double> share(classes, 0);
      for (auto const i : dirichlet_share(labels, classes, alpha, 1, rank, ranks)) {
        ++seen[i];
        share[static_cast<std::size_t>(labels[i])] += 1.0 / of_class;
      }
      for (double const s : share) squares += (s - 1.0 / ranks) * (s - 1.0 / ranks);
    }
    for (int const n : seen) EXPECT_EQ(n, 1);
    // The variance of a share is (1/S)(1 - 1/S) / (S alpha + 1); 200 shares give it within some 40 %.
    double const variance = 0.25 * 0.75 / (ranks * alpha + 1);
    EXPECT_NEAR(squares / (ranks * classes), variance, 0.4 * variance) << "alpha " << alpha;
  }
}

TEST(TrainingShare, OfUnlikeRanksFillsTheirPlaces) {
  ExecSpace const space;
  DataSettings settings{.source = "synthetic", .classes = 4};
  settings.features = 8;
  settings.train_samples = 200;
  BatchPlan const plan(200, 20, 2);
  for (auto const* split : {"skewed", "dirichlet"}) {
    settings.split = split;
    std::vector<std::int64_t> all(4, 0);
    for (std::size_t rank = 0; rank < 2; ++rank) {
      auto const keep = training_share(space, settings, 1, plan, rank);
      EXPECT_GT(keep.count, 0u);
      EXPECT_LE(keep.count, plan.samples_of(rank));
      auto const count = count_classes(read_dataset(space, settings, Subset::train, 1, keep).label, 4);
      EXPECT_EQ(static_cast<std::size_t>(std::accumulate(count.begin(), count.end(), std::int64_t{0})), keep.count);
    }
  }
}

}  // namespace minidad
