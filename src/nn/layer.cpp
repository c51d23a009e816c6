// SPDX-License-Identifier: BSD-3-Clause
#include "nn/layer.hpp"

#include "core/random.hpp"
#include "linalg/gemm.hpp"
#include "linalg/rows.hpp"

namespace minidad {

void Layer::form_gradient(ExecSpace const& space, LayerStats const& wire, Vector const&,
                          LayerParameters const& sum) const {
  form_weight_gradient(space, shape(), wire, sum);
  if (sum.rest.extent(0) > 0) column_sums(space, wire.delta, sum.rest);
}

void Layer::form_rest(Pass const& pass, LayerParameters const&, Place const& at, Vector const& rest) const {
  column_sums(pass.space, at.delta, rest);
}

void Layer::expand(ExecSpace const& space, Matrix const& wire_input, Matrix const& input) const {
  copy_rows(space, wire_input, input);
}

void form_weight_gradient(ExecSpace const& space, LayerShape const& shape, Factors const& stats,
                          LayerParameters const& sum) {
  for (std::size_t w = 0; w < shape.weights.size(); ++w) {
    auto const& block = shape.weights[w];
    gemm(space, Op::transpose, Op::none, 1, columns_of(stats.input, block.row, block.row + block.rows),
         columns_of(stats.delta, block.col, block.col + block.cols), 0, sum.weights[w]);
  }
}

void fill_uniform(ExecSpace const& space, std::uint64_t seed, std::uint32_t index, std::size_t first, double bound,
                  Matrix const& weight) {
  Vector const flat(weight.data(), weight.size());
  Kokkos::parallel_for(
      "minidad::nn::fill_uniform", Kokkos::RangePolicy<ExecSpace>(space, 0, flat.extent(0)),
      KOKKOS_LAMBDA(std::size_t i) {
        Words4 const words = philox(seed, Stream::weights, index, first + i);
        flat(i) = static_cast<Real>(bound * (2 * uniform(words.x[0]) - 1));
      });
}

}  // namespace minidad
