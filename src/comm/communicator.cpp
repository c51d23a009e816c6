// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <climits>

#include "comm/communicator_impl.hpp"
#include "comm/sum_in_place.hpp"
#include "core/fill.hpp"
#include "core/kokkos_compat.hpp"

namespace minidad {

void check_mpi(int code, char const* call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw Error(ExitCode::run_time,
              fmt::format("{}: {}", call, std::string_view(text, static_cast<std::size_t>(length))));
}

int mpi_count(std::size_t count) {
  if (count > INT_MAX)
    throw Error(ExitCode::run_time, fmt::format("a message of {} items is beyond MPI's limit of {}", count, INT_MAX));
  return static_cast<int>(count);
}

MPI_Request* Request::fresh() {
  require(!active(), "Request: started twice");
  return &request_;
}

void Request::progress() {
  int done = 0;
  if (active()) check_mpi(MPI_Test(&request_, &done, MPI_STATUS_IGNORE), "MPI_Test");
}

void Request::wait(Communicator const& comm, Awaited const& what) {
  if (auto& watch = comm.impl().stall_watch)
    watch->wait(request_, what);
  else
    check_mpi(MPI_Wait(&request_, MPI_STATUS_IGNORE), "MPI_Wait");
}

namespace {

void prepare(Communicator::Impl& impl) {
  check_mpi(MPI_Comm_set_errhandler(impl.comm, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  MPI_Comm_rank(impl.comm, &impl.rank);
  MPI_Comm_size(impl.comm, &impl.size);
  impl.traffic = Traffic(impl.size);
  impl.traffic.entry("control", "allreduce");  // always the first, used or not
}

}  // namespace

Communicator::Communicator() : impl_(std::make_unique<Impl>()) {
  check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &impl_->comm), "MPI_Comm_dup");
  prepare(*impl_);
}

Communicator::Communicator(Communicator const& parent, int color) : impl_(std::make_unique<Impl>()) {
  check_mpi(MPI_Comm_split(parent.impl().comm, color, parent.rank(), &impl_->comm), "MPI_Comm_split");
  prepare(*impl_);
}

Communicator::~Communicator() { MPI_Comm_free(&impl_->comm); }

void Communicator::set_stall_limit(double seconds) {
  require(seconds >= 0, "set_stall_limit: a time is not negative");
  impl_->stall_watch.reset();
  if (seconds > 0) impl_->stall_watch.emplace(impl_->comm, seconds);
}

int Communicator::rank() const { return impl_->rank; }
int Communicator::size() const { return impl_->size; }
Transfer Communicator::transfer() const { return impl_->transfer; }
Traffic& Communicator::traffic() { return impl_->traffic; }
Traffic const& Communicator::traffic() const { return impl_->traffic; }

std::string Communicator::library() const {
  char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  check_mpi(MPI_Get_library_version(text, &length), "MPI_Get_library_version");
  std::string const whole(text, static_cast<std::size_t>(length));
  return whole.substr(0, whole.find_first_of(",\n"));
}

namespace {

/// What MPI says of itself, where it says anything: one that cannot would not refuse a device pointer but crash on it.
bool denies_device_pointers() {
#if defined(KOKKOS_ENABLE_CUDA) && defined(MPIX_CUDA_AWARE_SUPPORT)
  return MPIX_Query_cuda_support() == 0;
#elif defined(KOKKOS_ENABLE_HIP) && defined(MPIX_ROCM_AWARE_SUPPORT)
  return MPIX_Query_rocm_support() == 0;
#elif defined(MPIX_GPU_SUPPORT_CUDA) && defined(MPIX_GPU_SUPPORT_HIP)  // MPICH
  int taken = 1;
#ifdef KOKKOS_ENABLE_CUDA
  MPIX_GPU_query_support(MPIX_GPU_SUPPORT_CUDA, &taken);
#elif defined(KOKKOS_ENABLE_HIP)
  MPIX_GPU_query_support(MPIX_GPU_SUPPORT_HIP, &taken);
#endif
  return taken == 0;
#else
  return false;
#endif
}

}  // namespace

void Communicator::choose_transfer(Transfer transfer, ExecSpace const& space) {
  impl_->transfer = transfer;
  if (transfer == Transfer::staged) return;
  auto const refuse_device = [] {
    refuse("this MPI does not take device pointers (comm.transfer = \"device\"); use \"staged\"");
  };
  if (denies_device_pointers()) refuse_device();
  Vector const probe("minidad::comm::transfer_probe", 1);
  fill(space, probe, 1);
  SumInPlace sum(*this, probe, {{"control", 1}});
  sum.start(space);
  sum.finish(space);
  Real total = 0;
  Kokkos::deep_copy(space, total, Kokkos::subview(probe, 0));
  fence(space, "minidad::comm::transfer_probe");
  if (total != static_cast<Real>(size())) refuse_device();
}

namespace {

template <class T>
void reduce_on_host(Communicator& comm, std::span<T> values, MPI_Op op, std::string_view part = "control") {
  auto& entry = comm.traffic().entry(part, "allreduce");
  comm.traffic().charge_allreduce(entry, static_cast<std::int64_t>(values.size_bytes()));
  ++entry.messages;
  Request reduced;
  check_mpi(MPI_Iallreduce(MPI_IN_PLACE, values.data(), mpi_count(values.size()), mpi_type<T>(), op, comm.impl().comm,
                           reduced.fresh()),
            "MPI_Iallreduce");
  reduced.wait(comm, awaited(entry));
}

}  // namespace

void Communicator::sum(std::span<double> values, std::string_view part) {
  reduce_on_host(*this, values, MPI_SUM, part);
}
void Communicator::sum(std::span<std::int64_t> values) { reduce_on_host(*this, values, MPI_SUM); }
void Communicator::max(std::span<std::uint64_t> values) { reduce_on_host(*this, values, MPI_MAX); }
void Communicator::max(std::span<double> values) { reduce_on_host(*this, values, MPI_MAX); }

std::optional<std::size_t> Communicator::first_difference(std::span<std::uint64_t const> values) {
  std::vector<std::uint64_t> extremes;  // the maxima of v and of ~v; the latter is ~ the minimum of v
  for (auto const value : values) extremes.insert(extremes.end(), {value, ~value});
  max(std::span(extremes));
  for (std::size_t i = 0; i < values.size(); ++i)
    if (extremes[2 * i] != ~extremes[2 * i + 1]) return i;
  return std::nullopt;
}

void Communicator::all_gather(std::span<std::int32_t const> mine, std::span<std::int32_t> all, TrafficEntry& entry) {
  require(all.size() == mine.size() * static_cast<std::size_t>(size()), "all_gather: one place for each rank's values");
  traffic().charge_allgather(entry, static_cast<std::int64_t>(mine.size_bytes()));
  ++entry.messages;
  Request gathered;
  check_mpi(MPI_Iallgather(mine.data(), mpi_count(mine.size()), MPI_INT32_T, all.data(), mpi_count(mine.size()),
                           MPI_INT32_T, impl_->comm, gathered.fresh()),
            "MPI_Iallgather");
  gathered.wait(*this, awaited(entry));
}

void Communicator::broadcast(std::span<std::byte> bytes, int root) {
  constexpr std::size_t most = 1 << 30;  // MPI counts are int
  for (std::size_t begin = 0; begin < bytes.size(); begin += most) {
    auto const part = bytes.subspan(begin, std::min(most, bytes.size() - begin));
    Request sent;
    check_mpi(MPI_Ibcast(part.data(), mpi_count(part.size()), MPI_BYTE, root, impl_->comm, sent.fresh()), "MPI_Ibcast");
    sent.wait(*this, {"broadcast", "control"});
  }
}

void Communicator::all_gather(std::span<std::byte const> mine, std::span<std::byte> all) {
  require(all.size() == mine.size() * static_cast<std::size_t>(size()), "all_gather: one place for each rank's bytes");
  Request gathered;
  check_mpi(MPI_Iallgather(mine.data(), mpi_count(mine.size()), MPI_BYTE, all.data(), mpi_count(mine.size()), MPI_BYTE,
                           impl_->comm, gathered.fresh()),
            "MPI_Iallgather");
  gathered.wait(*this, {"allgather", "control"});
}

void Communicator::agree(std::function<void()> const& work) {
  Failure mine{ExitCode::done, ""};
  try {
    work();
  } catch (...) {
    mine = describe_current_exception();
  }
  auto& [code, what] = mine;
  bool const failed = code != ExitCode::done;
  // The lowest failing rank, as the largest (size - rank), and how many there are.
  std::uint64_t first[1] = {failed ? static_cast<std::uint64_t>(size() - rank()) : 0};
  max(first);
  if (first[0] == 0) return;
  std::int64_t failures[1] = {failed ? 1 : 0};
  sum(failures);
  int const speaker = size() - static_cast<int>(first[0]);
  int header[2] = {static_cast<int>(code), mpi_count(what.size())};
  broadcast(std::as_writable_bytes(std::span(header)), speaker);
  what.resize(static_cast<std::size_t>(header[1]));
  broadcast(std::as_writable_bytes(std::span(what)), speaker);
  if (failures[0] < size()) what = fmt::format("rank {}: {}", speaker, what);
  throw AgreedError(static_cast<ExitCode>(header[0]), what);
}

}  // namespace minidad
