// SPDX-License-Identifier: BSD-3-Clause
#include "comm/row_channel.hpp"

#include "comm/communicator_impl.hpp"
#include "core/kokkos_compat.hpp"

namespace minidad {

namespace {

constexpr int row_tag = 7;

template <class View>
View part(View const& view, std::size_t n) {
  return Kokkos::subview(view, Kokkos::make_pair(std::size_t{0}, n), Kokkos::ALL);
}

}  // namespace

struct RowChannel::Impl {
  Communicator& comm;
  bool staged;
  Matrix buffer;
  Matrix::host_mirror_type wire;  ///< what MPI sees when staged: `buffer` itself where kernels run on the host
  TrafficEntry& sends;
  TrafficEntry& broadcasts;

  Real* outgoing(ExecSpace const& space, std::size_t n) const {
    if (staged) Kokkos::deep_copy(space, part(wire, n), part(buffer, n));
    fence(space, "minidad::comm::before_send");
    return staged ? wire.data() : buffer.data();
  }
  Real* incoming(ExecSpace const& space) const {
    fence(space, "minidad::comm::before_receive");
    return staged ? wire.data() : buffer.data();
  }
  void arrived(ExecSpace const& space, std::size_t n) const {
    if (staged) Kokkos::deep_copy(space, part(buffer, n), part(wire, n));
  }
  std::size_t scalars(std::size_t n) const { return n * buffer.extent(1); }
};

RowChannel::RowChannel(Communicator& comm, std::string const& part, std::size_t max_rows, std::size_t cols)
    : impl_(std::make_unique<Impl>(Impl{.comm = comm,
                                        .staged = comm.transfer() == Transfer::staged,
                                        .buffer = Matrix("minidad::comm::channel_rows", max_rows, cols),
                                        .wire = {},
                                        .sends = comm.traffic().entry(part, "send"),
                                        .broadcasts = comm.traffic().entry(part, "broadcast")})) {
  if (impl_->staged) impl_->wire = Kokkos::create_mirror_view(impl_->buffer);
  mpi_count(max_rows * cols);
}

RowChannel::~RowChannel() = default;
RowChannel::RowChannel(RowChannel&&) noexcept = default;

Matrix RowChannel::rows(std::size_t n) const { return first_rows(impl_->buffer, n); }

void RowChannel::send(ExecSpace const& space, int to, std::size_t n) {
  auto* const data = impl_->outgoing(space, n);
  auto const count = impl_->scalars(n);
  impl_->comm.traffic().charge_send(impl_->sends, static_cast<std::int64_t>(count * sizeof(Real)));
  ++impl_->sends.messages;
  Request sent;
  check_mpi(MPI_Isend(data, mpi_count(count), mpi_type<Real>(), to, row_tag, impl_->comm.impl().comm, sent.fresh()),
            "MPI_Isend");
  sent.wait(impl_->comm, awaited(impl_->sends));
}

void RowChannel::receive(ExecSpace const& space, int from, std::size_t n) {
  Request received;
  check_mpi(MPI_Irecv(impl_->incoming(space), mpi_count(impl_->scalars(n)), mpi_type<Real>(), from, row_tag,
                      impl_->comm.impl().comm, received.fresh()),
            "MPI_Irecv");
  received.wait(impl_->comm, {"receive", impl_->sends.part});
  impl_->arrived(space, n);
}

void RowChannel::broadcast(ExecSpace const& space, int root, std::size_t n) {
  bool const mine = impl_->comm.rank() == root;
  auto* const data = mine ? impl_->outgoing(space, n) : impl_->incoming(space);
  auto const count = impl_->scalars(n);
  if (mine) impl_->comm.traffic().charge_broadcast(impl_->broadcasts, static_cast<std::int64_t>(count * sizeof(Real)));
  ++impl_->broadcasts.messages;
  Request reached;
  check_mpi(MPI_Ibcast(data, mpi_count(count), mpi_type<Real>(), root, impl_->comm.impl().comm, reached.fresh()),
            "MPI_Ibcast");
  reached.wait(impl_->comm, awaited(impl_->broadcasts));
  if (!mine) impl_->arrived(space, n);
}

}  // namespace minidad
