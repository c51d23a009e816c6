// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "support/small_problem.hpp"
#include "support/test_comm.hpp"

namespace minidad {

/// What Kokkos tells a profiler while it is listened to.
struct Heard {
  std::set<std::string> kernels, allocations, fences, regions;
  int n_allocations = 0;
} heard;

void on_kernel(char const* name, std::uint32_t, std::uint64_t* id) {
  heard.kernels.insert(name);
  *id = 0;
}
void on_allocation(Kokkos::Tools::SpaceHandle, char const* name, void const*, std::uint64_t) {
  heard.allocations.insert(name);
  ++heard.n_allocations;
}
void on_fence(char const* name, std::uint32_t, std::uint64_t* id) {
  heard.fences.insert(name);
  *id = 0;
}
void on_region(char const* name) { heard.regions.insert(name); }

/// Listens for as long as it lives.
class Listener {
 public:
  Listener() {
    heard = {};
    namespace tools = Kokkos::Tools::Experimental;
    tools::set_begin_parallel_for_callback(on_kernel);
    tools::set_begin_parallel_reduce_callback(on_kernel);
    tools::set_begin_parallel_scan_callback(on_kernel);
    tools::set_allocate_data_callback(on_allocation);
    tools::set_begin_fence_callback(on_fence);
    tools::set_push_region_callback(on_region);
  }
  ~Listener() {
    namespace tools = Kokkos::Tools::Experimental;
    tools::set_begin_parallel_for_callback(nullptr);
    tools::set_begin_parallel_reduce_callback(nullptr);
    tools::set_begin_parallel_scan_callback(nullptr);
    tools::set_allocate_data_callback(nullptr);
    tools::set_begin_fence_callback(nullptr);
    tools::set_push_region_callback(nullptr);
  }
};

bool ours(std::string const& name) { return name.find("minidad::") != std::string::npos; }

/// What Kokkos does on its own account, under names of its own: fences inside a deep_copy or before memory is freed,
/// and scratch memory for teams and reductions ("[unlabeled]" in 3.4). Kernels have no such excuse: a name of Kokkos'
/// there means that one of ours was launched without a label, and a View without one would be "".
bool kokkos_internal(std::string const& name) {
  return name.starts_with("Kokkos") || name.starts_with("HostSpace") || name == "[unlabeled]";
}

void expect_labels() {
  for (auto const& name : heard.kernels) EXPECT_TRUE(ours(name)) << "kernel '" << name << "'";
  for (auto const& name : heard.allocations)
    EXPECT_TRUE(ours(name) || kokkos_internal(name)) << "allocation '" << name << "'";
  for (auto const& name : heard.fences) EXPECT_TRUE(ours(name) || kokkos_internal(name)) << "fence '" << name << "'";
}

TEST(KokkosLabels, NameEverythingInATrainingRun) {
  for (auto const& exchange :
       {ExchangeSettings{.method = "dsgd"}, ExchangeSettings{.method = "dad"}, ExchangeSettings{.method = "edad"},
        ExchangeSettings{.method = "none"}, ExchangeSettings{.method = "dad", .deterministic = true, .row_block = 4}})
    for (auto const phi : {Activation::relu, Activation::tanh, Activation::sigmoid})
      for (bool const nesterov : {false, true}) {
        Listener const listener;
        SmallProblem problem(test_comm(), {.shapes = {{12, 9, phi}, {9, 4, Activation::identity}},
                                           .exchange = exchange,
                                           .optimiser = {.nesterov = nesterov}});
        problem.trainer.run({});
        expect_labels();
      }
}

TEST(KokkosLabels, NameWhatTheClassSplitNeeds) {
  Listener const listener;
  SmallProblem const problem(test_comm(), {.split = "class"});
  expect_labels();
  EXPECT_EQ(heard.allocations.count("minidad::data::sample"), 1u);
}

TEST(KokkosLabels, NameEverythingInAProbe) {
  Listener const listener;
  SmallProblem problem(test_comm(), {.probe = {.every = 2, .per_class = true}});
  problem.trainer.run({});
  expect_labels();
  EXPECT_EQ(heard.kernels.count("minidad::train::squared_distance"), 1u);
  EXPECT_EQ(heard.regions.count("minidad::phase::probe"), 1u);
}

TEST(KokkosLabels, AreHeardAtAll) {
  Listener const listener;
  SmallProblem problem(test_comm(), {.exchange = {.method = "dad"}});
  problem.trainer.run({});
  for (auto const* kernel : {"minidad::data::choose", "minidad::nn::softmax_cross_entropy",
                             "minidad::linalg::copy_rows", "minidad::train::sgd_momentum", "minidad::core::digest"})
    EXPECT_EQ(heard.kernels.count(kernel), 1u) << kernel;
  EXPECT_EQ(heard.allocations.count("minidad::nn::arena"), 1u);
  for (auto const* phase : {"forward", "backward", "exchange", "wait", "update"})
    EXPECT_EQ(heard.regions.count(std::string("minidad::phase::") + phase), 1u) << phase;
}

TEST(KokkosLabels, AreMissedWhenTheyAreMissing) {  // the listener can fail
  Listener const listener;
  Kokkos::View<int*> const nameless("somebody's", 3);
  EXPECT_FALSE(std::all_of(heard.allocations.begin(), heard.allocations.end(), ours));
}

TEST(Step, AllocatesNothingAfterTheFirst) {
  for (auto const* method : exchange_names) {
    SmallProblem problem(test_comm(), {.exchange = {.method = method, .low_rank = {.min_compression = 0}},
                                       .probe = {.every = 1, .per_class = true}});
    auto const last = problem.plan.steps_per_epoch() - 1;  // the ragged one
    problem.trainer.step(0, 0);
    Listener const listener;
    for (std::size_t const step : {std::size_t{1}, last}) problem.trainer.step(0, step);
    EXPECT_EQ(heard.n_allocations, 0) << method;
    EXPECT_GT(heard.kernels.size(), 0u);
  }
}

}  // namespace minidad
