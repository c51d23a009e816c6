// SPDX-License-Identifier: BSD-3-Clause
#include "comm/row_gather.hpp"

#include "comm/communicator_impl.hpp"
#include "core/kokkos_compat.hpp"

namespace minidad {

struct RowGather::Impl {
  Communicator& comm;
  std::size_t rows_each;
  bool staged;
  Matrix rows;
  Matrix::host_mirror_type wire;  ///< what MPI sees when staged: `rows` itself where kernels run on the host
  TrafficEntry& entry;
  std::vector<int> count, displacement;  ///< in rows
  std::size_t gathered = 0;
  MPI_Datatype row_type = MPI_DATATYPE_NULL;
  Request request;
};

RowGather::RowGather(Communicator& comm, std::string const& part, std::size_t max_rows, std::size_t cols,
                     std::size_t rows_each)
    : impl_(std::make_unique<Impl>(Impl{.comm = comm,
                                        .rows_each = rows_each,
                                        .staged = comm.transfer() == Transfer::staged,
                                        .rows = Matrix("minidad::comm::gathered_rows", max_rows, cols),
                                        .wire = {},
                                        .entry = comm.traffic().entry(part, "allgatherv"),
                                        .count = {},
                                        .displacement = {},
                                        .request = {}})) {
  if (impl_->staged) impl_->wire = Kokkos::create_mirror_view(impl_->rows);
  auto const ranks = static_cast<std::size_t>(comm.size());
  impl_->count.resize(ranks);
  impl_->displacement.resize(ranks);
  // A row as one MPI item: counts stay small whatever the width.
  check_mpi(MPI_Type_contiguous(mpi_count(cols), mpi_type<Real>(), &impl_->row_type), "MPI_Type_contiguous");
  check_mpi(MPI_Type_commit(&impl_->row_type), "MPI_Type_commit");
}

RowGather::~RowGather() {
  if (impl_ && impl_->row_type != MPI_DATATYPE_NULL) MPI_Type_free(&impl_->row_type);
}
RowGather::RowGather(RowGather&&) noexcept = default;

Matrix RowGather::slot(RowLayout const& layout) const {
  auto const rank = static_cast<std::size_t>(impl_->comm.rank());
  auto const each = impl_->rows_each;
  require(layout.parts() == impl_->count.size() && layout.rows() * each <= impl_->rows.extent(0),
          "RowGather: the layout does not fit");
  return rows_of(impl_->rows, layout.offset[rank] * each, layout.offset[rank + 1] * each);
}

void RowGather::start(ExecSpace const& space, RowLayout const& layout) {
  auto const mine = slot(layout);
  auto const rank = static_cast<std::size_t>(impl_->comm.rank()), each = impl_->rows_each;
  auto const bytes = static_cast<std::int64_t>(mine.size() * sizeof(Real));
  if (impl_->staged)
    Kokkos::deep_copy(
        space,
        Kokkos::subview(impl_->wire, Kokkos::make_pair(layout.offset[rank] * each, layout.offset[rank + 1] * each),
                        Kokkos::ALL),
        mine);
  fence(space, "minidad::comm::before_gather");
  for (std::size_t r = 0; r < layout.parts(); ++r) {
    impl_->count[r] = mpi_count(layout.rows_of(r) * each);
    impl_->displacement[r] = mpi_count(layout.offset[r] * each);
  }
  impl_->gathered = layout.rows() * each;
  impl_->comm.traffic().charge_allgather(impl_->entry, bytes);
  ++impl_->entry.messages;
  check_mpi(MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, impl_->staged ? impl_->wire.data() : impl_->rows.data(),
                            impl_->count.data(), impl_->displacement.data(), impl_->row_type, impl_->comm.impl().comm,
                            impl_->request.fresh()),
            "MPI_Iallgatherv");
}

void RowGather::progress() { impl_->request.progress(); }

Matrix RowGather::finish(ExecSpace const& space) {
  impl_->request.wait(impl_->comm, awaited(impl_->entry));
  auto all = first_rows(impl_->rows, impl_->gathered);
  if (impl_->staged)
    Kokkos::deep_copy(space, all,
                      Kokkos::subview(impl_->wire, Kokkos::make_pair(std::size_t{0}, impl_->gathered), Kokkos::ALL));
  return all;
}

}  // namespace minidad
