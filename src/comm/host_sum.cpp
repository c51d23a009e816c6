// SPDX-License-Identifier: BSD-3-Clause
#include "comm/host_sum.hpp"

#include <algorithm>
#include <vector>

#include "comm/communicator_impl.hpp"

namespace minidad {

struct HostSum::Impl {
  Communicator& comm;
  std::vector<double> values;
  Request request;
};

HostSum::HostSum(Communicator& comm, std::size_t size)
    : impl_(std::make_unique<Impl>(Impl{comm, std::vector<double>(size), {}})) {}
HostSum::~HostSum() = default;

void HostSum::start(std::span<double const> mine) {
  auto& [comm, values, request] = *impl_;
  require(mine.size() == values.size(), "HostSum: not the declared number of values");
  std::copy(mine.begin(), mine.end(), values.begin());
  auto& entry = comm.traffic().entry("control", "allreduce");
  comm.traffic().charge_allreduce(entry, static_cast<std::int64_t>(mine.size_bytes()));
  ++entry.messages;
  check_mpi(MPI_Iallreduce(MPI_IN_PLACE, values.data(), mpi_count(values.size()), MPI_DOUBLE, MPI_SUM, comm.impl().comm,
                           request.fresh()),
            "MPI_Iallreduce");
}

std::span<double const> HostSum::finish() {
  impl_->request.wait(impl_->comm, {"allreduce", "control"});
  return impl_->values;
}

}  // namespace minidad
