// SPDX-License-Identifier: BSD-3-Clause
#include "comm/communicator.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <thread>

#include "comm/host_sum.hpp"
#include "comm/row_channel.hpp"
#include "comm/row_collect.hpp"
#include "comm/row_gather.hpp"
#include "comm/sum_in_place.hpp"
#include "core/error.hpp"
#include "support/host_copy.hpp"
#include "support/test_comm.hpp"

namespace minidad {

TEST(SumInPlace, AddsOverRanksAsOftenAsItIsStarted) {
  auto& comm = test_comm();
  ExecSpace const space;
  Vector const buffer("minidad::test::buffer", 5);
  SumInPlace sum(comm, buffer, {{"test_sum_a", 2}, {"test_sum_b", 3}});
  for (int round = 1; round <= 3; ++round) {
    Kokkos::deep_copy(buffer, static_cast<Real>(round * (comm.rank() + 1)));
    sum.start(space);
    sum.progress();
    sum.finish(space);
    EXPECT_EQ(host_copy(buffer), std::vector<Real>(5, static_cast<Real>(round * comm.size() * (comm.size() + 1) / 2)));
  }
  auto const& a = comm.traffic().entry("test_sum_a", "allreduce");
  auto const& b = comm.traffic().entry("test_sum_b", "allreduce");
  EXPECT_EQ(a.messages, 3);
  EXPECT_EQ(b.messages, 0);  // travelled with a
  EXPECT_EQ(a.payload, static_cast<std::int64_t>(3 * 2 * sizeof(Real)));
  EXPECT_EQ(b.sent, 3 * allreduce_bytes(comm.size(), 3 * sizeof(Real)));
}

TEST(RowGather, StacksRaggedRowsInRankOrder) {
  auto& comm = test_comm();
  ExecSpace const space;
  auto const ranks = static_cast<std::size_t>(comm.size()), rank = static_cast<std::size_t>(comm.rank());
  RowGather gather(comm, "test_gather", 3 * ranks, 2);
  for (std::size_t const shift : {0, 1, 2}) {  // layouts change from call to call, and some ranks have nothing
    RowLayout layout;
    for (std::size_t r = 0; r < ranks; ++r) layout.offset.push_back(layout.offset.back() + (r + shift) % 3);
    auto const mine = gather.slot(layout);
    EXPECT_EQ(mine.extent(0), layout.rows_of(rank));
    Kokkos::deep_copy(mine, static_cast<Real>(10 * shift + rank));
    gather.start(space, layout);
    gather.progress();
    auto const found = host_copy(gather.finish(space));
    std::vector<Real> expected;
    for (std::size_t r = 0; r < ranks; ++r)
      expected.insert(expected.end(), 2 * layout.rows_of(r), static_cast<Real>(10 * shift + r));
    EXPECT_EQ(found, expected);
  }
}

TEST(RowCollect, GivesTheRootTheRowsOfAllInRankOrder) {
  auto& comm = test_comm();
  ExecSpace const space;
  auto const ranks = static_cast<std::size_t>(comm.size()), rank = static_cast<std::size_t>(comm.rank());
  RowLayout largest;
  for (std::size_t r = 0; r < ranks; ++r) largest.offset.push_back(largest.offset.back() + 3);
  int const root = comm.size() - 1;
  bool const is_root = comm.rank() == root;
  RowCollect collect(comm, "test_collect", largest, 2, root);
  double sent = 0;
  for (std::size_t const shift : {0, 1, 2}) {  // layouts change from call to call, and some ranks have nothing
    RowLayout layout;
    for (std::size_t r = 0; r < ranks; ++r) layout.offset.push_back(layout.offset.back() + (r + shift) % 3);
    auto const own = layout.rows_of(rank);
    Matrix const mine("minidad::test::mine", own, 2);
    Kokkos::deep_copy(mine, static_cast<Real>(10 * shift + rank));
    collect.start(space, layout, mine);
    auto const found = host_copy(collect.finish(space));
    std::vector<Real> expected;
    for (std::size_t r = 0; r < ranks && is_root; ++r)
      expected.insert(expected.end(), 2 * layout.rows_of(r), static_cast<Real>(10 * shift + r));
    EXPECT_EQ(found, expected);
    EXPECT_EQ(host_copy(mine), std::vector<Real>(2 * own, static_cast<Real>(10 * shift + rank)));
    if (!is_root) sent += static_cast<double>(2 * own * sizeof(Real));
  }
  EXPECT_EQ(comm.traffic().entry("test_collect", "gatherv").sent, sent);
  EXPECT_EQ(comm.traffic().entry("test_collect", "gatherv").messages, 3);
}

TEST(HostSum, AddsOverRanksAsOftenAsItIsStarted) {
  auto& comm = test_comm();
  HostSum sum(comm, 2);
  for (int round = 1; round <= 3; ++round) {
    sum.start(std::array{static_cast<double>(comm.rank()), static_cast<double>(round)});
    auto const result = sum.finish();
    EXPECT_EQ(result[0], comm.size() * (comm.size() - 1) / 2.0);
    EXPECT_EQ(result[1], round * comm.size());
  }
}

TEST(Communicator, SplitsByColorInTheSameOrder) {
  auto& comm = test_comm();
  Communicator const half(comm, comm.rank() % 2);
  EXPECT_EQ(half.size(), (comm.size() + 1 - comm.rank() % 2) / 2);
  EXPECT_EQ(half.rank(), comm.rank() / 2);
}

TEST(Communicator, BroadcastsAndGathersBytesUnbooked) {
  auto& comm = test_comm();
  auto const booked = comm.traffic().entry("control", "allreduce").messages;
  int value[2] = {comm.rank() == comm.size() - 1 ? 7 : 0, comm.rank()};
  comm.broadcast(std::as_writable_bytes(std::span(value, 1)), comm.size() - 1);
  EXPECT_EQ(value[0], 7);
  EXPECT_EQ(value[1], comm.rank());
  std::vector<int> all(static_cast<std::size_t>(comm.size()));
  comm.all_gather(std::as_bytes(std::span(value + 1, 1)), std::as_writable_bytes(std::span(all)));
  for (int r = 0; r < comm.size(); ++r) EXPECT_EQ(all[static_cast<std::size_t>(r)], r);
  EXPECT_EQ(comm.traffic().entry("control", "allreduce").messages, booked);
}

TEST(Traffic, OfControlAndProbeIsNotTheExchanges) {
  Traffic traffic(2);
  for (auto const* part : {"control", "probe", "layer0"})
    traffic.charge_allreduce(traffic.entry(part, "allreduce"), 100);
  EXPECT_EQ(exchanged_bytes(traffic), 100);
}

TEST(Communicator, FindsTheFirstDifference) {
  auto& comm = test_comm();
  std::uint64_t values[4] = {5, 0, ~std::uint64_t{0}, 7};
  EXPECT_FALSE(comm.first_difference(values));
  if (comm.rank() == comm.size() - 1) values[2] -= 1;
  if (comm.rank() == 0) values[3] += 1;
  auto const found = comm.first_difference(values);
  EXPECT_EQ(found.has_value(), comm.size() > 1);
  EXPECT_EQ(found.value_or(2), 2u);
}

TEST(Communicator, AgreesThatAllIsWell) {
  bool ran = false;
  test_comm().agree([&] { ran = true; });
  EXPECT_TRUE(ran);
}

TEST(Communicator, TurnsOneRanksErrorIntoEverybodys) {
  auto& comm = test_comm();
  int const culprit = comm.size() - 1;
  try {
    comm.agree([&] {
      if (comm.rank() == culprit) throw Error(ExitCode::run_time, fmt::format("disk {} is full", comm.rank()));
    });
    ADD_FAILURE() << "nothing was thrown";
  } catch (AgreedError const& error) {
    EXPECT_EQ(error.code(), ExitCode::run_time);
    auto const text = fmt::format("disk {} is full", culprit);
    EXPECT_EQ(std::string(error.what()), comm.size() == 1 ? text : fmt::format("rank {}: {}", culprit, text));
  }
}

TEST(Communicator, SaysOnceWhatAllRanksSay) {
  try {
    test_comm().agree([] { refuse("no such file"); });
    ADD_FAILURE() << "nothing was thrown";
  } catch (AgreedError const& error) {
    EXPECT_EQ(error.code(), ExitCode::user);
    EXPECT_EQ(std::string(error.what()), "no such file");
  }
}

TEST(Communicator, AgreesOnForeignExceptionsToo) {
  auto& comm = test_comm();
  EXPECT_THROW(comm.agree([&] {
    if (comm.rank() == 0) throw std::bad_alloc();
  }),
               AgreedError);
  EXPECT_THROW(comm.agree([&] {
    if (comm.rank() == 0) throw std::out_of_range("index");
  }),
               AgreedError);
}

TEST(Communicator, ChecksDevicePointersBeforeItUsesThem) {
  auto& comm = test_comm();
  ExecSpace const space;
  comm.choose_transfer(Transfer::device, space);  // on a host build this is plain memory and must work
  Vector const buffer("minidad::test::buffer", 4);
  Kokkos::deep_copy(buffer, Real(1));
  SumInPlace sum(comm, buffer, {{"test_device", 4}});
  sum.start(space);
  sum.finish(space);
  EXPECT_EQ(host_copy(buffer), std::vector<Real>(4, static_cast<Real>(comm.size())));
  comm.choose_transfer(Transfer::staged, space);
}

/// One rank comes `late` to every collective of this folder, and all of them give what they should.
void expect_right_results(double late) {
  auto& comm = test_comm();
  ExecSpace const space;
  auto const ranks = static_cast<std::size_t>(comm.size()), rank = static_cast<std::size_t>(comm.rank());
  int const last = comm.size() - 1;
  auto dawdle = [&, turn = 0]() mutable {
    comm.agree([] {});  // so that one rank's delay does not add to another's
    if (turn++ % comm.size() == comm.rank()) std::this_thread::sleep_for(std::chrono::duration<double>(late));
  };
  RowLayout layout;
  for (std::size_t r = 0; r < ranks; ++r) layout.offset.push_back(layout.offset.back() + 1);
  std::vector<Real> numbers;
  for (std::size_t r = 0; r < ranks; ++r) numbers.push_back(static_cast<Real>(r));

  dawdle();
  double total[1] = {1};
  comm.sum(std::span<double>(total));
  EXPECT_EQ(total[0], comm.size());

  dawdle();
  Vector const buffer("minidad::test::buffer", 1);
  Kokkos::deep_copy(buffer, Real(1));
  SumInPlace sum(comm, buffer, {{"test_watched", 1}});
  sum.start(space);
  sum.finish(space);
  EXPECT_EQ(host_copy(buffer), std::vector<Real>{static_cast<Real>(comm.size())});

  dawdle();
  RowGather gather(comm, "test_watched", ranks, 1);
  Kokkos::deep_copy(gather.slot(layout), static_cast<Real>(rank));
  gather.start(space, layout);
  EXPECT_EQ(host_copy(gather.finish(space)), numbers);

  dawdle();
  RowCollect collect(comm, "test_watched", layout, 1, last);
  Matrix const mine("minidad::test::mine", 1, 1);
  Kokkos::deep_copy(mine, static_cast<Real>(rank));
  collect.start(space, layout, mine);
  EXPECT_EQ(host_copy(collect.finish(space)), comm.rank() == last ? numbers : std::vector<Real>{});

  dawdle();
  std::vector<std::int32_t> all(ranks);
  std::int32_t const own[1] = {comm.rank()};
  comm.all_gather(own, all, comm.traffic().entry("test_watched", "allgather"));
  EXPECT_EQ(std::vector<Real>(all.begin(), all.end()), numbers);

  dawdle();
  RowChannel channel(comm, "test_watched", 1, 1);
  Kokkos::deep_copy(channel.rows(1), static_cast<Real>(rank));
  channel.broadcast(space, last, 1);
  EXPECT_EQ(host_copy(channel.rows(1)), std::vector<Real>{static_cast<Real>(last)});
  if (comm.size() > 1 && comm.rank() == last) channel.send(space, 0, 1);
  if (comm.size() > 1 && comm.rank() == 0) channel.receive(space, last, 1);
  EXPECT_EQ(host_copy(channel.rows(1)), std::vector<Real>{static_cast<Real>(last)});

  dawdle();
  EXPECT_THROW(comm.agree([&] {
    if (comm.rank() == last) refuse("no");
  }),
               AgreedError);
}

TEST(StallLimit, ChangesNoResult) {
  test_comm().set_stall_limit(60);
  expect_right_results(0);
  test_comm().set_stall_limit(0);
  expect_right_results(0);
}

TEST(StallLimit, PutsUpWithRanksThatAreLateByLess) {
  if (test_comm().size() == 1) GTEST_SKIP() << "nobody to wait for";
  test_comm().set_stall_limit(2);  // ranks ask after 1.5 s: each wait here has its questions, and leaves notes behind
  expect_right_results(1.6);
  test_comm().set_stall_limit(0);
}

TEST(StallLimit, IsNotNegative) { EXPECT_THROW(test_comm().set_stall_limit(-1), Error); }

}  // namespace minidad
