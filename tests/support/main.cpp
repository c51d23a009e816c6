// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "comm/session.hpp"
#include "support/test_comm.hpp"

namespace minidad {

namespace {

Communicator* the_comm = nullptr;

/// Ranks other than 0 speak only of failures.
class FailuresOnly : public testing::EmptyTestEventListener {
  void OnTestStart(testing::TestInfo const& test) override {
    test_ = fmt::format("{}.{}", test.test_suite_name(), test.name());
  }
  void OnTestPartResult(testing::TestPartResult const& result) override {
    if (!result.failed()) return;
    fmt::print(stderr, "rank {}: {} failed at {}:{}: {}\n", the_comm->rank(), test_,
               result.file_name() != nullptr ? result.file_name() : "?", result.line_number(), result.message());
  }
  std::string test_;
};

int run_tests(Communicator& comm, int argc, char** argv) {
  the_comm = &comm;
  testing::InitGoogleTest(&argc, argv);
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  if (comm.rank() != 0) {
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new FailuresOnly);
  }
  std::uint64_t worst[1] = {RUN_ALL_TESTS() == 0 ? 0u : 1u};
  if (testing::UnitTest::GetInstance()->test_to_run_count() == 0) worst[0] = 1;  // a test program tests something
  comm.max(std::span<std::uint64_t>(worst));
  return static_cast<int>(worst[0]);
}

}  // namespace

Communicator& test_comm() { return *the_comm; }

}  // namespace minidad

int main(int argc, char** argv) { return minidad::run_session(argc, argv, minidad::run_tests); }
