// SPDX-License-Identifier: BSD-3-Clause
#include "nn/layers/positions.hpp"

#include <cmath>

#include "core/for_each_element.hpp"
#include "linalg/rows.hpp"

namespace minidad {

namespace {

/// A row per sample instead of one per place.
Matrix by_sample(Matrix const& values, std::size_t size) { return Matrix(values.data(), values.size() / size, size); }

void add_positions(ExecSpace const& space, Matrix const& in, Vector const& positions, Matrix const& out) {
  for_each_element(
      "minidad::nn::positions", space, in.extent(0), in.extent(1),
      KOKKOS_LAMBDA(std::size_t row, std::size_t col) { out(row, col) = in(row, col) + positions(col); });
}

}  // namespace

void Positions::initialise(ExecSpace const& space, std::uint64_t seed, std::uint32_t index,
                           LayerParameters const& to) const {
  fill_uniform(space, seed, index, 0, 0.02 * std::sqrt(3.0), Matrix(to.rest.data(), 1, to.rest.extent(0)));
}

void Positions::forward(Pass const& pass, LayerParameters const& p, Place const& at) const {
  add_positions(pass.space, by_sample(at.in, in().size()), p.rest, by_sample(at.out, in().size()));
}

void Positions::propagate(Pass const& pass, LayerParameters const&, Place const& at) const {
  copy_rows(pass.space, at.delta_out, at.delta_in);
}

void Positions::form_rest(Pass const& pass, LayerParameters const&, Place const& at, Vector const& rest) const {
  column_sums(pass.space, by_sample(at.delta_out, in().size()), rest);
}

}  // namespace minidad
