// SPDX-License-Identifier: BSD-3-Clause
#include "compress/product_norm.hpp"

#include <algorithm>

#include "linalg/row_basis.hpp"

namespace minidad {

namespace {

double sum_of_products(ExecSpace const& space, DoubleMatrix const& a, DoubleMatrix const& b) {
  auto const cols = a.extent(1);
  double sum = 0;
  Kokkos::parallel_reduce(
      "minidad::compress::sum_of_products", Kokkos::RangePolicy<ExecSpace>(space, 0, a.size()),
      KOKKOS_LAMBDA(std::size_t i, double& partial) { partial += a(i / cols, i % cols) * b(i / cols, i % cols); }, sum);
  return sum;
}

}  // namespace

double ProductNorm::operator()(ExecSpace const& space, Factors const& given) {
  if (given.rows() == 0) return 0;
  if (!shorten_) {
    shorten_ = std::make_unique<Shortened>(shape_);
    auto const n = shorten_->max_rows();
    wide_ = DoubleMatrix("minidad::compress::wide", n, std::max(shape_.in, shape_.out));
    input_ = DoubleMatrix("minidad::compress::input_products", n, n);
    delta_ = DoubleMatrix("minidad::compress::delta_products", n, n);
  }
  auto const rows = (*shorten_)(space, given);
  auto const n = rows.rows();
  auto const input = corner_of(input_, n, n), delta = corner_of(delta_, n, n);
  row_products(space, rows.input, wide_, input);
  row_products(space, rows.delta, wide_, delta);
  return sum_of_products(space, input, delta);
}

}  // namespace minidad
