// SPDX-License-Identifier: BSD-3-Clause
#include "train/factor_spectra.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/fill.hpp"
#include "linalg/rows.hpp"

namespace minidad {

namespace {

/// Vectors of smaller values, relative to the largest, are those of rounding errors.
constexpr double told_from_rounding = 1e-6;

/// values <- the roots of the first `count` eigenvalues; rounding may have made some negative, a NaN stays one.
void assign_roots(std::span<double const> eigenvalues, std::size_t count, std::vector<double>& values) {
  values.clear();
  for (double const value : eigenvalues.first(count)) values.push_back(value < 0 ? 0 : std::sqrt(value));
}

std::span<double const> square(std::vector<double> const& values, std::size_t n) { return {values.data(), n * n}; }

}  // namespace

FactorSpectra::Room::Room(std::vector<FactorSizes> const& sizes, std::size_t width, bool by_class)
    : side(std::max<std::size_t>(1, largest_problem(sizes, by_class))) {
  for (auto const& [in, out, rows] : sizes) {
    input = std::max(input, rows * in);
    delta = std::max(delta, rows * out);
    if (rows > std::min(in, out)) folded = std::max(folded, in * out);
    vectors = std::max(vectors, width * out);
  }
  vectors = std::max(vectors, width * side);
}

std::size_t FactorSpectra::largest_problem(std::vector<FactorSizes> const& sizes, bool by_class) {
  std::size_t side = 0;
  for (auto const& [in, out, rows] : sizes) side = std::max(side, by_class ? rows : std::min(rows, std::max(in, out)));
  return side;
}

std::size_t FactorSpectra::bytes(std::vector<FactorSizes> const& sizes, std::size_t width, bool by_class) {
  Room const room(sizes, width, by_class);
  // Products on the device, on their way (also in float), and on the host: of A, D, a part of each, the problem, its
  // two factors; LAPACK's matrix and twice that as workspace.
  std::size_t const squares = 2 + 7 + 3;
  return sizeof(double) * (room.input + room.delta + room.folded + squares * room.side * room.side + 4 * room.vectors);
}

FactorSpectra::FactorSpectra(std::vector<FactorSizes> const& sizes, std::size_t width, bool by_class)
    : FactorSpectra(Room(sizes, width, by_class), by_class) {}

FactorSpectra::FactorSpectra(Room const& room, bool by_class)
    : by_class_(by_class),
      wide_input_("minidad::train::wide_input", 1, room.input),
      wide_delta_("minidad::train::wide_delta", 1, room.delta),
      folded_("minidad::train::folded", 1, room.folded),
      products_("minidad::train::products", 1, room.side * room.side),
      coefficients_("minidad::train::coefficients", 1, room.vectors),
      transfer_(std::max(room.side * room.side, room.vectors)),
      eigen_(room.side),
      small_(room.vectors) {
  for (auto* host : {&input_products_, &delta_products_, &problem_, &factor_, &turned_})
    host->resize(room.side * room.side);
  if (by_class) part_.resize(2 * room.side * room.side);
  for (auto* values : {&input_, &delta_, &gradient_, &of_rows_}) values->reserve(room.side);
}

/// host <- X Xᵀ, or Xᵀ X.
std::span<double const> FactorSpectra::fetch_products(ExecSpace const& space, DoubleMatrix const& x, bool of_rows,
                                                      std::vector<double>& host) {
  auto const n = x.extent(of_rows ? 0 : 1);
  auto const k = corner_of(products_, n, n);
  gemm(space, of_rows ? Op::none : Op::transpose, of_rows ? Op::transpose : Op::none, 1, x, x, 0, k);
  auto const fetched = transfer_.fetch(space, k);
  std::copy(fetched.begin(), fetched.end(), host.begin());
  return square(host, n);
}

/// Eigenvalues of X's products on its shorter side.
void FactorSpectra::solve_side(ExecSpace const& space, DoubleMatrix const& x) {
  bool const wide = x.extent(0) <= x.extent(1);
  eigen_.solve(fetch_products(space, x, wide, problem_), x.extent(wide ? 0 : 1), false);
}

std::size_t FactorSpectra::evaluate(ExecSpace const& space, Factors const& g, DoubleMatrix const& vectors) {
  rows_ = g.rows(), in_ = g.input.extent(1), out_ = g.delta.extent(1);
  require(vectors.extent(1) == out_ && rows_ * in_ <= wide_input_.size() && rows_ * out_ <= wide_delta_.size(),
          "FactorSpectra: shapes do not fit");
  input_.clear(), delta_.clear(), gradient_.clear();
  std::size_t count = 0;
  if (rows_ > 0) {
    auto const a = corner_of(wide_input_, rows_, in_), d = corner_of(wide_delta_, rows_, out_);
    copy_rows(space, g.input, a);
    copy_rows(space, g.delta, d);
    bool const few = rows_ <= std::min(in_, out_);
    if (few || by_class_) {
      fetch_products(space, a, true, input_products_);
      fetch_products(space, d, true, delta_products_);
    }
    if (few || (by_class_ && rows_ <= in_))
      eigen_.solve(square(input_products_, rows_), rows_, false);
    else
      solve_side(space, a);
    assign_roots(eigen_.values(), std::min(rows_, in_), input_);
    count = few ? few_rows(space, d, vectors) : many_rows(space, a, d, vectors);
  }
  if (count < vectors.extent(0)) fill(space, rows_of(vectors, count, vectors.extent(0)), 0);
  return count;
}

/// eigen_ holds those of K_D; then those of Fᵀ K_A F, F having the first `most` columns. turned_ <- Fᵀ K_A.
void FactorSpectra::solve_product(std::span<double const> input_products, std::size_t n, std::size_t most,
                                  bool vectors) {
  auto const kept = std::min(n, most);
  for (std::size_t j = 0; j < kept; ++j) {
    auto const value = eigen_.values()[j], root = value < 0 ? 0 : std::sqrt(value);
    auto const vector = eigen_.vector(j);
    for (std::size_t i = 0; i < n; ++i) factor_[j * n + i] = root * vector[i];
  }
  multiply_small(Op::none, Op::none, kept, n, n, factor_.data(), input_products.data(), turned_.data());
  multiply_small(Op::none, Op::transpose, kept, kept, n, turned_.data(), factor_.data(), problem_.data());
  eigen_.solve(square(problem_, kept), kept, vectors);
}

std::size_t FactorSpectra::tell_vectors(std::size_t width) const {
  std::size_t count = 0;
  while (count < std::min(width, gradient_.size()) && gradient_[count] > told_from_rounding * gradient_[0]) ++count;
  return count;
}

std::size_t FactorSpectra::few_rows(ExecSpace const& space, DoubleMatrix const& d, DoubleMatrix const& vectors) {
  auto const n = rows_;
  eigen_.solve(square(delta_products_, n), n);
  assign_roots(eigen_.values(), n, delta_);
  solve_product(input_products_, n, n, true);
  assign_roots(eigen_.values(), n, gradient_);
  auto const count = tell_vectors(vectors.extent(0));
  if (count == 0) return 0;
  for (std::size_t j = 0; j < count; ++j)  // factor_ is free again
    for (std::size_t i = 0; i < n; ++i) factor_[j * n + i] = eigen_.vector(j)[i] / eigen_.values()[j];
  multiply_small(Op::none, Op::none, count, n, n, factor_.data(), turned_.data(), small_.data());
  auto const coefficients = corner_of(coefficients_, count, n);
  transfer_.put(space, small_, coefficients);
  gemm(space, Op::none, Op::none, 1, coefficients, d, 0, first_rows(vectors, count));
  return count;
}

std::size_t FactorSpectra::many_rows(ExecSpace const& space, DoubleMatrix const& a, DoubleMatrix const& d,
                                     DoubleMatrix const& vectors) {
  solve_side(space, d);
  assign_roots(eigen_.values(), std::min(rows_, out_), delta_);
  bool const by_out = out_ <= in_;
  auto const n = std::min(in_, out_);
  auto const folded = corner_of(folded_, n, std::max(in_, out_));  // G or its transpose, whichever is wide
  gemm(space, Op::transpose, Op::none, 1, by_out ? d : a, by_out ? a : d, 0, folded);
  eigen_.solve(fetch_products(space, folded, true, problem_), n);
  assign_roots(eigen_.values(), n, gradient_);
  auto const count = tell_vectors(vectors.extent(0));
  if (count == 0) return 0;
  for (std::size_t j = 0; j < count; ++j)
    for (std::size_t i = 0; i < n; ++i) small_[j * n + i] = eigen_.vector(j)[i] / (by_out ? 1 : gradient_[j]);
  if (by_out) {
    transfer_.put(space, small_, first_rows(vectors, count));
  } else {  // v = Gᵀ u / sigma
    auto const coefficients = corner_of(coefficients_, count, n);
    transfer_.put(space, small_, coefficients);
    gemm(space, Op::none, Op::none, 1, coefficients, folded, 0, first_rows(vectors, count));
  }
  return count;
}

std::span<double const> FactorSpectra::gradient_of(std::span<std::size_t const> rows) {
  require(by_class_, "FactorSpectra: there is no room for parts");
  auto const n = rows.size();
  of_rows_.clear();
  if (n == 0) return of_rows_;
  double* const input = part_.data();
  double* const delta = part_.data() + n * n;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      input[i * n + j] = input_products_[rows[i] * rows_ + rows[j]];
      delta[i * n + j] = delta_products_[rows[i] * rows_ + rows[j]];
    }
  eigen_.solve({delta, n * n}, n);
  solve_product({input, n * n}, n, out_, false);
  assign_roots(eigen_.values(), std::min({n, in_, out_}), of_rows_);
  return of_rows_;
}

}  // namespace minidad
