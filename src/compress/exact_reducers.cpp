// SPDX-License-Identifier: BSD-3-Clause
#include "compress/exact_reducers.hpp"

#include <algorithm>
#include <cmath>

#include "linalg/gemm.hpp"
#include "linalg/rows.hpp"

namespace minidad {

GramReducer::Side::Side(std::size_t max_rows, std::size_t cols, std::size_t few)
    : wide("minidad::compress::wide", max_rows, cols),
      product("minidad::compress::product", max_rows, max_rows),
      few_wide("minidad::compress::few_wide", few, cols),
      coefficient("minidad::compress::coefficient", few, max_rows),
      transfer(std::max(max_rows, few) * max_rows),
      eigen(max_rows),
      root(max_rows * max_rows),
      host_coefficient(std::max(max_rows, few) * max_rows) {}

void GramReducer::Side::decompose(ExecSpace const& space, Matrix const& x) {
  n = x.extent(0);
  auto const k = corner_of(product, n, n);
  row_products(space, x, wide, k);
  eigen.solve(transfer.fetch(space, k), n);
  // Directions below 1e-6 of the largest are noise of the products (1e-12 of its square).
  auto const values = eigen.values();
  for (rank = 0; rank < n && !(values[rank] <= 1e-12 * values[0]); ++rank)
    for (std::size_t i = 0; i < n; ++i) root[rank * n + i] = std::sqrt(values[rank]) * eigen.vector(rank)[i];
}

void GramReducer::Side::combine(ExecSpace const& space, Matrix const& few) {
  auto const c = corner_of(coefficient, few.extent(0), n);
  transfer.put(space, host_coefficient, c);
  gemm(space, Op::none, Op::none, 1, c, corner_of(wide, n, few.extent(1)), 0, few_wide);
  copy_rows(space, few_wide, few);
}

GramReducer::GramReducer(ReducerShape const& shape)
    : shorten_(shape),
      input_(shorten_.max_rows(), shape.in, shape.few),
      delta_(shorten_.max_rows(), shape.out, shape.few),
      core_(shorten_.max_rows() * shorten_.max_rows()),
      svd_(shorten_.max_rows(), shorten_.max_rows()) {}

void GramReducer::form_coefficients(bool left, Side& side, std::size_t few) const {
  auto const k = svd_.values().size(), n = side.n, rank = side.rank;
  for (std::size_t a = 0; a < rank; ++a)  // L^1/2 Eᵀ -> L^-1/2 Eᵀ
    for (std::size_t i = 0; i < n; ++i) side.root[a * n + i] /= side.eigen.values()[a];
  auto& c = side.host_coefficient;
  std::fill(c.begin(), c.end(), 0.0);
  multiply_small(left ? Op::transpose : Op::none, Op::none, k, n, rank, left ? svd_.left() : svd_.right(),
                 side.root.data(), c.data());
  for (std::size_t j = 0; j < std::min(k, few) && !left; ++j)
    for (std::size_t i = 0; i < n; ++i) c[j * n + i] *= svd_.values()[j];
}

void GramReducer::reduce(ExecSpace const& space, Factors const& given, Factors const& few) {
  auto const rows = shorten_(space, given);
  input_.decompose(space, rows.input);
  delta_.decompose(space, rows.delta);
  multiply_small(Op::none, Op::transpose, input_.rank, delta_.rank, rows.rows(), input_.root.data(), delta_.root.data(),
                 core_.data());
  svd_.solve({core_.data(), input_.rank * delta_.rank}, input_.rank, delta_.rank);
  form_coefficients(true, input_, few.rows());
  form_coefficients(false, delta_, few.rows());
  input_.combine(space, few.input);
  delta_.combine(space, few.delta);
}

QrReducer::QrReducer(ReducerShape const& shape)
    : shorten_(shape),
      input_basis_(shorten_.max_rows(), shape.in),
      delta_basis_(shorten_.max_rows(), shape.out),
      basis_{Matrix("minidad::compress::input_basis", shorten_.max_rows(), shape.in),
             Matrix("minidad::compress::delta_basis", shorten_.max_rows(), shape.out)},
      core_("minidad::compress::core", shorten_.max_rows(), shorten_.max_rows()),
      coefficient_("minidad::compress::coefficient", shape.few, shorten_.max_rows()),
      host_coefficient_(shape.few * shorten_.max_rows()),
      transfer_(std::max(shape.few, shorten_.max_rows()) * shorten_.max_rows()),
      svd_(shorten_.max_rows(), shorten_.max_rows()) {}

void QrReducer::reduce(ExecSpace const& space, Factors const& given, Factors const& few) {
  auto const rows = shorten_(space, given);
  auto const n = rows.rows();
  auto const q = first_rows(basis_, n);
  copy_rows(space, rows, q);
  input_basis_.factorise(space, q.input);
  delta_basis_.factorise(space, q.delta);
  auto const core = corner_of(core_, n, n);
  gemm(space, Op::transpose, Op::none, 1, input_basis_.factor(), delta_basis_.factor(), 0, core);
  svd_.solve(transfer_.fetch(space, core), n, n);

  auto const kept = std::min(n, few.rows());
  auto const coefficient = corner_of(coefficient_, few.rows(), n);
  std::fill(host_coefficient_.begin(), host_coefficient_.end(), 0.0);
  for (std::size_t j = 0; j < kept; ++j)
    for (std::size_t i = 0; i < n; ++i) host_coefficient_[j * n + i] = svd_.left()[i * n + j];
  transfer_.put(space, host_coefficient_, coefficient);
  gemm(space, Op::none, Op::none, 1, coefficient, q.input, 0, few.input);
  for (std::size_t j = 0; j < kept; ++j)
    for (std::size_t i = 0; i < n; ++i) host_coefficient_[j * n + i] = svd_.values()[j] * svd_.right()[j * n + i];
  transfer_.put(space, host_coefficient_, coefficient);
  gemm(space, Op::none, Op::none, 1, coefficient, q.delta, 0, few.delta);
}

}  // namespace minidad
