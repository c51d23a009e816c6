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
  std::size_t summed = 0;  ///< scalars of the last start
  auto stretch(auto const& view) const { return Kokkos::subview(view, Kokkos::make_pair(std::size_t{0}, summed)); }
  Request request;
};

SumInPlace::SumInPlace(Communicator& comm, Vector const& buffer, std::vector<Part> const& parts)
    : impl_(std::make_unique<Impl>(Impl{comm, comm.transfer() == Transfer::staged, buffer, {}, {}, 0, {}})) {
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
  for (auto const& [entry, bytes] : impl_->charges) impl_->comm.traffic().charge_allreduce(entry, bytes);
  post(space, impl_->buffer.size());
}

void SumInPlace::start(ExecSpace const& space, std::span<std::size_t const> sizes) {
  require(sizes.size() == impl_->charges.size(), "SumInPlace: one size per part");
  std::size_t size = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    auto const bytes = static_cast<std::int64_t>(sizes[i] * sizeof(Real));
    require(bytes <= impl_->charges[i].bytes, "SumInPlace: a part is larger than was declared");
    impl_->comm.traffic().charge_allreduce(impl_->charges[i].entry, bytes);
    size += sizes[i];
  }
  post(space, size);
}

void SumInPlace::post(ExecSpace const& space, std::size_t size) {
  auto& my = *impl_;
  my.summed = size;
  if (my.staged) Kokkos::deep_copy(space, my.stretch(my.wire), my.stretch(my.buffer));
  fence(space, "minidad::comm::before_sum");
  ++my.charges.front().entry.messages;
  check_mpi(MPI_Iallreduce(MPI_IN_PLACE, my.staged ? my.wire.data() : my.buffer.data(), mpi_count(size),
                           mpi_type<Real>(), MPI_SUM, my.comm.impl().comm, my.request.fresh()),
            "MPI_Iallreduce");
}

void SumInPlace::progress() { impl_->request.progress(); }

void SumInPlace::finish(ExecSpace const& space) {
  auto const &first = impl_->charges.front().entry, &last = impl_->charges.back().entry;
  impl_->request.wait(impl_->comm, {first.collective, first.part, last.part});
  if (impl_->staged) Kokkos::deep_copy(space, impl_->stretch(impl_->buffer), impl_->stretch(impl_->wire));
}

}  // namespace minidad
