// SPDX-License-Identifier: BSD-3-Clause
#include "linalg/gemm.hpp"

#include <KokkosBlas3_gemm.hpp>
#include <algorithm>

#include "core/error.hpp"
#include "core/fill.hpp"
#include "core/for_each_element.hpp"

namespace minidad {

namespace {

/// Kokkos Kernels takes an execution space first from 4.0 on; before, it used the default instance.
template <class Space, class Scalar, class M>
void blas_gemm(Space const& space, char const* op_a, char const* op_b, Scalar alpha, M const& a, M const& b,
               Scalar beta, M const& c) {
  if constexpr (requires { KokkosBlas::gemm(space, op_a, op_b, alpha, a, b, beta, c); })
    KokkosBlas::gemm(space, op_a, op_b, alpha, a, b, beta, c);
  else
    KokkosBlas::gemm(op_a, op_b, alpha, a, b, beta, c);
}

/// Along which dimension, and by how much at a time, a product is formed. All at once, but for thin ones on a host:
/// where a factor is only a few rows or columns wide, OpenBLAS is two to four times as fast with products small enough
/// for its kernels that pack neither factor (up to a million multiplications), and a sum over the rows of a large factor
/// (AᵀB with long columns) is best taken from a few neighbouring rows at a time. Other BLAS do not mind.
enum class Along { rows, columns, terms };  // of C, and of the sum that makes one of its elements
struct Pieces {
  Along along;
  std::size_t extent, step;
};
Pieces pieces_of(std::size_t m, std::size_t n, std::size_t k, bool over_rows) {
  constexpr std::size_t thin = 16, small = 1000000, few_rows = 16;
  bool const whole = !on_host || std::min({m, n, k}) > thin;
  if (!whole && over_rows && std::min(m, n) <= thin && k > 4 * few_rows) return {Along::terms, k, few_rows};
  auto const extent = std::max(m, n), pieces = whole ? 1 : std::min(extent, m * n * k / small + 1);
  return {m >= n ? Along::rows : Along::columns, extent, (extent + pieces - 1) / pieces};
}

}  // namespace

template <class Scalar>
void gemm(ExecSpace const& space, Op op_a, Op op_b, std::type_identity_t<Scalar> alpha, MatrixOf<Scalar> const& a,
          MatrixOf<Scalar> const& b, std::type_identity_t<Scalar> beta, MatrixOf<Scalar> const& c) {
  bool const turned_a = op_a == Op::transpose, turned_b = op_b == Op::transpose;
  std::size_t const m = a.extent(turned_a ? 1 : 0), k = a.extent(turned_a ? 0 : 1), n = b.extent(turned_b ? 0 : 1);
  require(b.extent(turned_b ? 1 : 0) == k && c.extent(0) == m && c.extent(1) == n, "gemm: shapes do not fit");
  if (m == 0 || n == 0) return;
  if (k == 0) {  // Kokkos Kernels 3.4 leaves C as it is
    require(beta == Scalar(0) || beta == Scalar(1), "gemm: an empty product is assigned or added");
    if (beta == Scalar(0)) fill(space, c, 0);
    return;
  }
  char const name_a[] = {static_cast<char>(op_a), 0}, name_b[] = {static_cast<char>(op_b), 0};
  auto const [along, extent, step] = pieces_of(m, n, k, turned_a && !turned_b);
  for (std::size_t begin = 0; begin < extent; begin += step) {
    auto const end = std::min(extent, begin + step);
    auto const part = [&, cut = along](MatrixOf<Scalar> const& x, Along first, Along second) {
      return cut == first ? rows_of(x, begin, end) : cut == second ? columns_of(x, begin, end) : x;
    };
    using enum Along;
    blas_gemm(space, name_a, name_b, alpha, turned_a ? part(a, terms, rows) : part(a, rows, terms),
              turned_b ? part(b, columns, terms) : part(b, terms, columns),
              along == terms && begin > 0 ? Scalar(1) : beta, part(c, rows, columns));
  }
}

template void gemm(ExecSpace const&, Op, Op, float, MatrixOf<float> const&, MatrixOf<float> const&, float,
                   MatrixOf<float> const&);
template void gemm(ExecSpace const&, Op, Op, double, MatrixOf<double> const&, MatrixOf<double> const&, double,
                   MatrixOf<double> const&);

void product_through_rows(ExecSpace const& space, Matrix const& x, Matrix const& from, Matrix const& to,
                          Matrix const& scratch, Matrix const& y) {
  auto const coordinates = corner_of(scratch, from.extent(0), x.extent(0));
  gemm(space, Op::none, Op::transpose, 1, from, x, 0, coordinates);
  gemm(space, Op::transpose, Op::none, 1, coordinates, to, 0, y);
}

void row_block_product(ExecSpace const& space, RowLayout const& blocks, Matrix const& a, Op op_b, Matrix const& b,
                       Matrix const& c) {
  require(blocks.rows() == a.extent(0), "row_block_product: the blocks must cover the rows");
  for (std::size_t i = 0; i < blocks.parts(); ++i) {
    auto const begin = blocks.offset[i], end = blocks.offset[i + 1];
    gemm(space, Op::none, op_b, 1, rows_of(a, begin, end), b, 0, rows_of(c, begin, end));
  }
}

}  // namespace minidad
