// SPDX-License-Identifier: BSD-3-Clause
#include "comm/sum_in_place.hpp"

#include "comm/communicator_impl.hpp"
#include "core/kokkos_compat.hpp"

namespace minidad {

struct SumInPlace::Impl {
  Communicator& comm;
  bool staged;
  Vector buffer;
  Vector::host_mirror_type wire;  ///< what MPI sees when staged: the buffer itself where kernels run on the host
  struct Charge {
    TrafficEntry& entry;
    std::int64_t bytes;
  };
  std::vector<Charge> charges;
  Request request;
};

SumInPlace::SumInPlace(Communicator& comm, Vector buffer, std::vector<Part> const& parts)
    : impl_(std::make_unique<Impl>(Impl{comm, comm.transfer() == Transfer::staged, buffer, {}, {}, {}})) {
  mpi_count(buffer.size());
  if (impl_->staged) impl_->wire = Kokkos::create_mirror_view(buffer);
  std::size_t covered = 0;
  for (auto const& [name, size] : parts) {
    impl_->charges.push_back({comm.traffic().entry(name, "allreduce"), static_cast<std::int64_t>(size * sizeof(Real))});
    covered += size;
  }
  require(covered == buffer.size(), "SumInPlace: the parts must cover the buffer");
}

SumInPlace::~SumInPlace() = default;
SumInPlace::SumInPlace(SumInPlace&&) noexcept = default;

void SumInPlace::start(ExecSpace const& space) {
  auto& [comm, staged, buffer, wire, charges, request] = *impl_;
  if (staged) Kokkos::deep_copy(space, wire, buffer);
  fence(space, "minidad::comm::before_sum");
  for (auto const& [entry, bytes] : charges) comm.traffic().charge_allreduce(entry, bytes);
  ++charges.front().entry.messages;
  check_mpi(MPI_Iallreduce(MPI_IN_PLACE, staged ? wire.data() : buffer.data(), mpi_count(buffer.size()),
                           mpi_type<Real>(), MPI_SUM, comm.impl().comm, request.fresh()),
            "MPI_Iallreduce");
}

void SumInPlace::progress() { impl_->request.progress(); }

void SumInPlace::finish(ExecSpace const& space) {
  impl_->request.wait();
  if (impl_->staged) Kokkos::deep_copy(space, impl_->buffer, impl_->wire);
}

}  // namespace minidad
