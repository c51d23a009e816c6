// SPDX-License-Identifier: BSD-3-Clause
#include "comm/row_collect.hpp"

#include "comm/communicator_impl.hpp"
#include "core/for_each_element.hpp"
#include "core/kokkos_compat.hpp"

namespace minidad {

struct RowCollect::Impl {
  Communicator& comm;
  int root;
  bool staged;
  Matrix rows;  ///< of all ranks, at the root
  /// What MPI sees when staged; not needed where kernels run on the host.
  Matrix::host_mirror_type wire_rows, wire_mine;
  TrafficEntry& entry;
  std::vector<int> count, displacement;  ///< in rows
  std::size_t collected = 0;
  MPI_Datatype row_type = MPI_DATATYPE_NULL;
  Request request;

  bool is_root() const { return comm.rank() == root; }
};

RowCollect::RowCollect(Communicator& comm, std::string const& part, RowLayout const& largest, std::size_t cols,
                       int root)
    : impl_(std::make_unique<Impl>(
          Impl{.comm = comm,
               .root = root,
               .staged = comm.transfer() == Transfer::staged && !on_host,
               .rows = Matrix("minidad::comm::collected_rows", comm.rank() == root ? largest.rows() : 0, cols),
               .wire_rows = {},
               .wire_mine = {},
               .entry = comm.traffic().entry(part, "gatherv"),
               .count = {},
               .displacement = {},
               .request = {}})) {
  if (impl_->staged) {
    auto const mine = largest.rows_of(static_cast<std::size_t>(comm.rank()));
    impl_->wire_rows = Kokkos::create_mirror_view(impl_->rows);
    impl_->wire_mine = Matrix::host_mirror_type("minidad::comm::collected_wire", mine, cols);
  }
  auto const ranks = static_cast<std::size_t>(comm.size());
  impl_->count.resize(ranks);
  impl_->displacement.resize(ranks);
  check_mpi(MPI_Type_contiguous(mpi_count(cols), mpi_type<Real>(), &impl_->row_type), "MPI_Type_contiguous");
  check_mpi(MPI_Type_commit(&impl_->row_type), "MPI_Type_commit");
}

RowCollect::~RowCollect() {
  if (impl_ && impl_->row_type != MPI_DATATYPE_NULL) MPI_Type_free(&impl_->row_type);
}
RowCollect::RowCollect(RowCollect&&) noexcept = default;

void RowCollect::start(ExecSpace const& space, RowLayout const& layout, Matrix const& mine) {
  auto const rank = static_cast<std::size_t>(impl_->comm.rank());
  require(layout.parts() == impl_->count.size() && mine.extent(0) == layout.rows_of(rank) &&
              mine.extent(1) == impl_->rows.extent(1) && (!impl_->is_root() || layout.rows() <= impl_->rows.extent(0)),
          "RowCollect: the layout does not fit");
  require(mine.span_is_contiguous(), "RowCollect: rows must follow one another");
  auto const* from = mine.data();
  if (impl_->staged) {
    auto const wire = Kokkos::subview(impl_->wire_mine, Kokkos::make_pair(std::size_t{0}, mine.extent(0)), Kokkos::ALL);
    Kokkos::deep_copy(space, wire, mine);
    from = wire.data();
  }
  fence(space, "minidad::comm::before_collect");
  for (std::size_t r = 0; r < layout.parts(); ++r) {
    impl_->count[r] = mpi_count(layout.rows_of(r));
    impl_->displacement[r] = mpi_count(layout.offset[r]);
  }
  impl_->collected = impl_->is_root() ? layout.rows() : 0;
  Traffic::charge_gather(impl_->entry, static_cast<std::int64_t>(mine.size() * sizeof(Real)), impl_->is_root());
  ++impl_->entry.messages;
  check_mpi(MPI_Igatherv(from, impl_->count[rank], impl_->row_type,
                         impl_->staged ? impl_->wire_rows.data() : impl_->rows.data(), impl_->count.data(),
                         impl_->displacement.data(), impl_->row_type, impl_->root, impl_->comm.impl().comm,
                         impl_->request.fresh()),
            "MPI_Igatherv");
}

Matrix RowCollect::finish(ExecSpace const& space) {
  impl_->request.wait(impl_->comm, awaited(impl_->entry));
  auto all = first_rows(impl_->rows, impl_->collected);
  if (impl_->staged)
    Kokkos::deep_copy(
        space, all,
        Kokkos::subview(impl_->wire_rows, Kokkos::make_pair(std::size_t{0}, impl_->collected), Kokkos::ALL));
  return all;
}

}  // namespace minidad
