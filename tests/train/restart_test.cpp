// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "io/checkpoint.hpp"
#include "io/seal.hpp"
#include "support/files.hpp"
#include "support/host_copy.hpp"
#include "support/low_rank.hpp"
#include "support/small_problem.hpp"
#include "support/test_comm.hpp"

namespace minidad {

namespace {

constexpr std::int64_t stop_after = 5;  // of 12 steps, 4 an epoch: within an epoch, and between two records

/// One folder for all ranks.
class SharedFolder {
 public:
  explicit SharedFolder(Communicator& comm) : comm_(comm) {
    std::int64_t id[1] = {comm.rank() == 0 ? getpid() : 0};
    comm.sum(std::span<std::int64_t>(id));
    path_ = std::filesystem::temp_directory_path() / fmt::format("minidad_restart_{}", id[0]);
    if (comm.rank() == 0) std::filesystem::create_directories(path_);
    comm.agree([] {});
  }
  ~SharedFolder() {
    comm_.agree([] {});
    std::error_code status;
    if (comm_.rank() == 0) std::filesystem::remove_all(path_, status);
  }
  std::string path(std::string const& name) const { return (path_ / name).string(); }

 private:
  Communicator& comm_;
  std::filesystem::path path_;
};

/// A way to train.
struct Training {
  std::string name, method;
  LowRankSettings settings;
  OptimiserSettings optimiser{};
  std::vector<std::string> layers{};  ///< instead of dense ones, on `input`
  SampleShape input{};
};

SmallProblem::Options options_for(Training const& one) {
  SmallProblem::Options options = with(one.method, one.settings);
  options.optimiser = one.optimiser;
  options.layers = one.layers;
  options.ends = {.input = one.input, .classes = 4};
  options.training = {.epochs = 3, .seed = 3, .record_every = 3};
  options.probe = {.every = 2, .width = 2};
  return options;
}

std::vector<Training> cases() {
  LowRankSettings const base{.width = 2, .min_compression = always};
  auto const change = [&](auto const& set) {
    auto settings = base;
    set(settings);
    return settings;
  };
  std::vector<Training> list{{"dsgd", "dsgd", {}}, {"dad", "dad", {}}, {"edad", "edad", {}}, {"none", "none", {}}};
  for (auto const* solver : {"gram", "qr", "block"})
    list.push_back({fmt::format("rank_dad_{}", solver), "rank_dad", change([&](auto& s) {
                      s.solver = solver;
                      s.feedback = 3;
                      s.feedback_period = 4;
                    })});
  list.push_back({"rank_dad_author", "rank_dad", change([](auto& s) { s.solver = "author"; })});
  list.push_back({"rank_dad_budget", "rank_dad", change([](auto& s) {
                    s.epsilon = 0.3;
                    s.width = 5;
                  })});
  for (auto const* pattern : {"root", "tree"})
    list.push_back({fmt::format("rank_dad_{}", pattern), "rank_dad", change([&](auto& s) {
                      s.pattern = pattern;
                      s.feedback = 3;
                    })});
  list.push_back({"powersgd", "powersgd", base});
  list.push_back({"power_dad", "power_dad", change([](auto& s) { s.feedback = 3; })});
  list.push_back({"power_dad_budget", "power_dad", change([](auto& s) {
                    s.epsilon = 0.3;
                    s.width = 5;
                  })});
  list.push_back({"delayed", "powersgd", change([](auto& s) { s.start_step = 7; })});
  for (auto const* method : {"adam", "adamw"})
    list.push_back({method, "dad", {}, {.method = method, .weight_decay = 0.01}});
  list.push_back({"adam_alone", "none", {}, {.method = "adam"}});
  // Masks of dropout go on where they were, and are those of the samples on any ranks.
  Training images{"images", "rank_dad", base};
  images.settings.feedback = 3;
  images.optimiser.method = "adamw";
  images.optimiser.clip_norm = 0.1;
  images.layers = {
      "conv 3 kernel=3 pad=1 nobias", "groupnorm groups=3", "relu", "maxpool 2", "dropout 0.3", "flatten", "dense 4"};
  images.input = {.height = 4, .width = 4};
  list.push_back(images);
  Training sequences{"sequences", "power_dad", base};
  sequences.settings.feedback = 3;
  sequences.optimiser.clip_norm = 0.1;
  sequences.layers = {"gru 6", "residual", "layernorm", "attention heads=2", "dropout 0.2", "end", "last", "dense 4"};
  sequences.input = {.height = 4, .channels = 3};
  list.push_back(sequences);
  return list;
}

class Restart : public testing::TestWithParam<Training> {
 protected:
  Provenance provenance(Communicator const& comm) const {
    return {{"ranks", fmt::to_string(comm.size())}, {"method", GetParam().method}};
  }
  /// Trains to the step where it stops, and saves.
  void save(SmallProblem& problem, std::string const& path, Observer observer = {}) const {
    observer.go_on = [&](Wishes const&) { return problem.trainer.steps_done() < stop_after; };
    problem.trainer.run(observer);
    write_checkpoint(problem.comm, path, provenance(problem.comm), shown(problem));
  }
  static std::function<void(StateVisitor&)> shown(SmallProblem& problem) {
    return [&](StateVisitor& visitor) { problem.trainer.visit_state(visitor); };
  }
};

/// All that the records of a run hold but times.
struct Records {
  std::vector<double> values, bytes;
  Observer observer() {
    return {.step =
                [this](StepRecord const& r) {
                  add({static_cast<double>(r.step), static_cast<double>(r.epoch), r.loss, r.accuracy, r.learning_rate,
                       r.gradient_norm});
                  for (std::size_t i = 1; i < r.bytes_sent.size(); ++i)  // but the first, control: saving is some
                    add({static_cast<double>(r.messages[i])});
                  bytes.insert(bytes.end(), r.bytes_sent.begin() + 1, r.bytes_sent.end());
                  add(r.factor_width);
                  add(r.certified_error);
                },
            .epoch =
                [this](EpochRecord const& r) {
                  add({r.test_loss, r.test_accuracy});
                },
            .probe =
                [this](ProbeRecord const& r) {
                  add({static_cast<double>(r.step)});
                  for (auto const* s : {&r.global, &r.local}) {
                    add(s->gradient_spectrum);
                    add(s->angle);
                  }
                  add(r.residual_norm);
                  add(r.applied_error);
                }};
  }
  void add(std::vector<double> const& more) { values.insert(values.end(), more.begin(), more.end()); }
};

void expect_same_values(std::vector<double> const& a, std::vector<double> const& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    EXPECT_TRUE(a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) << i << ": " << a[i] << ", " << b[i];
}

}  // namespace

TEST_P(Restart, GoesOnToTheSameBitsAndRecords) {
  auto const options = options_for(GetParam());
  SharedFolder const folder(test_comm());
  Records whole, parts;
  SmallProblem through(test_comm(), options);
  save(through, folder.path("c.h5"), whole.observer());  // records sum in the order that saving gives them
  auto const summary = through.trainer.run(whole.observer());

  {
    SmallProblem first(test_comm(), options);
    auto observer = parts.observer();
    observer.go_on = [&](Wishes const&) { return first.trainer.steps_done() < stop_after; };
    first.trainer.run(observer);
  }
  SmallProblem second(test_comm(), options);
  second.trainer.step(0, 0);  // everything is other than it should be
  Checkpoint checkpoint(test_comm(), folder.path("c.h5"));
  EXPECT_EQ(checkpoint.ranks(), test_comm().size());
  EXPECT_EQ(checkpoint.text("method"), GetParam().method);
  checkpoint.load(shown(second));
  EXPECT_EQ(second.trainer.steps_done(), stop_after);
  auto const restarted = second.trainer.run(parts.observer());

  EXPECT_EQ(restarted.parameter_digest, summary.parameter_digest);
  EXPECT_EQ(restarted.steps, summary.steps);
  EXPECT_NEAR(restarted.bytes_per_step, summary.bytes_per_step, 1e-10);  // sums of up to 1e5 bytes of thirds
  EXPECT_EQ(restarted.test_loss, summary.test_loss);
  expect_same_values(parts.values, whole.values);
  ASSERT_EQ(parts.bytes.size(), whole.bytes.size());
  for (std::size_t i = 0; i < whole.bytes.size(); ++i)  // thirds of bytes, differences of sums of up to 1e5
    EXPECT_NEAR(parts.bytes[i], whole.bytes[i], 1e-10);
  EXPECT_EQ(host_copy(second.network.parameters().flat), host_copy(through.network.parameters().flat));
}

TEST_P(Restart, OnOtherRanksKeepsWhatAllKnowAndTheSumOfWhatEachKeeps) {
  auto const options = options_for(GetParam());
  auto& all = test_comm();
  if (!SmallProblem(all, options).exchange->replicates()) return;  // refused by the program
  SharedFolder const folder(all);
  // The kept parts of all ranks of `problem`, summed; for each layer.
  auto const kept = [&](SmallProblem& problem) {
    std::vector<double> sum;
    auto const& shapes = problem.model.shapes();
    for (std::size_t l = 0; l < shapes.size(); ++l) {
      if (!shapes[l].has_product()) continue;
      Matrix const dense("minidad::test::dense", shapes[l].in, shapes[l].out);
      problem.exchange->write_kept(problem.space, l, dense);
      auto const mine = doubles(host_copy(dense));
      sum.insert(sum.end(), mine.begin(), mine.end());
    }
    problem.comm.sum(std::span<double>(sum));
    return sum;
  };
  for (int former = 1; former <= all.size(); ++former)
    for (int now = 1; now <= all.size(); ++now) {
      if (former < all.size() && now < all.size()) continue;  // that is tested on fewer ranks
      Communicator few(all, all.rank() < former ? 0 : 1), other(all, all.rank() < now ? 0 : 1);
      auto const path = folder.path(fmt::format("{}_{}.h5", former, now));
      std::vector<double> before(0);
      std::vector<Real> weights;
      if (all.rank() < former) {
        SmallProblem problem(few, options);
        save(problem, path);
        before = kept(problem);
        weights = host_copy(problem.network.parameters().flat);
      }
      all.agree([] {});
      if (all.rank() >= now) continue;
      SmallProblem problem(other, options);
      Checkpoint checkpoint(other, path);
      EXPECT_EQ(checkpoint.ranks(), former);
      checkpoint.load(shown(problem));
      auto const after = kept(problem);
      if (all.rank() == 0) {
        EXPECT_EQ(host_copy(problem.network.parameters().flat), weights);
        // Up to 4 ranks' sums of some ten rows, in another order.
        EXPECT_LE(norm(before) > 0 ? distance(after, before) : norm(after), exact_tolerance)
            << former << " -> " << now << " ranks";
      }
      problem.trainer.run({});  // nothing is out of place
      EXPECT_TRUE(problem.trainer.done());
    }
}

TEST(Checkpoint, IsRefusedWithAnyByteChanged) {
  if (test_comm().size() > 1) return;  // the file is what counts
  Communicator alone(test_comm(), 0);
  TemporaryFolder const folder;
  SmallProblem problem(alone, {.shapes = {{3, 2, Activation::identity}}, .samples = 8, .batch = 4});
  problem.trainer.step(0, 0);
  auto const path = folder.path("small.h5");
  write_checkpoint(alone, path, {{"ranks", "1"}}, [&](StateVisitor& visitor) { problem.trainer.visit_state(visitor); });
  verify_seal(path);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  auto const bytes = static_cast<std::streamoff>(std::filesystem::file_size(path));
  std::int64_t unnoticed = 0;
  for (std::streamoff place = 0; place < bytes; ++place) {
    auto const put = [&](char value) {
      file.seekp(place);
      file.put(value);
      file.flush();
    };
    file.seekg(place);
    auto const before = static_cast<char>(file.get());
    put(static_cast<char>(before ^ (1 << place % 8)));
    try {
      verify_seal(path);
      ++unnoticed;
    } catch (Error const&) {
    }
    put(before);
  }
  EXPECT_EQ(unnoticed, 0) << "of " << bytes << " bytes";
  verify_seal(path);
}

INSTANTIATE_TEST_SUITE_P(Method, Restart, testing::ValuesIn(cases()), [](auto const& info) { return info.param.name; });

}  // namespace minidad
