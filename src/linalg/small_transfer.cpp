// SPDX-License-Identifier: BSD-3-Clause
#include "linalg/small_transfer.hpp"

#include "core/error.hpp"
#include "core/kokkos_compat.hpp"

namespace minidad {

namespace {

template <class Scalar>
auto flat(MatrixOf<Scalar> const& m) {
  return Kokkos::View<Scalar*, ExecSpace>(m.data(), m.size());
}

}  // namespace

SmallTransfer::SmallTransfer(std::size_t max_size)
    : double_("minidad::linalg::small_transfer", max_size), float_("minidad::linalg::small_transfer", max_size) {}

std::span<double const> SmallTransfer::fetch(ExecSpace const& space, DoubleMatrix const& m) {
  require(m.size() <= double_.size(), "SmallTransfer: the matrix is too large");
  Host<double> const host(double_.data(), m.size());
  Kokkos::deep_copy(space, host, flat(m));
  fence(space, "minidad::linalg::small_transfer");
  return {host.data(), host.size()};
}

template <class Scalar>
void SmallTransfer::put(ExecSpace const& space, std::span<double const> values, MatrixOf<Scalar> const& m) {
  require(m.size() <= values.size() && m.size() <= double_.size(), "SmallTransfer: the matrix is too large");
  Host<Scalar> host;
  if constexpr (std::is_same_v<Scalar, double>)
    host = Host<Scalar>(double_.data(), m.size());
  else
    host = Host<Scalar>(float_.data(), m.size());
  for (std::size_t i = 0; i < m.size(); ++i) host(i) = static_cast<Scalar>(values[i]);
  Kokkos::deep_copy(space, flat(m), host);
  fence(space, "minidad::linalg::small_transfer");
}

template void SmallTransfer::put(ExecSpace const&, std::span<double const>, MatrixOf<float> const&);
template void SmallTransfer::put(ExecSpace const&, std::span<double const>, MatrixOf<double> const&);

}  // namespace minidad
