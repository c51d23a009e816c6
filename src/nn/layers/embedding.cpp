// SPDX-License-Identifier: BSD-3-Clause
#include "nn/layers/embedding.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/fill.hpp"
#include "core/for_each_element.hpp"

namespace minidad {

namespace {

/// The nearest id there is; NaN is taken for 0.
KOKKOS_INLINE_FUNCTION std::size_t id_of(Real value, std::size_t vocabulary) {
  if (!(value > 0)) return 0;
  return value < static_cast<Real>(vocabulary) ? static_cast<std::size_t>(value) : vocabulary - 1;
}

void gather(ExecSpace const& space, Matrix const& ids, Matrix const& weight, Matrix const& out) {
  std::size_t const cols = out.extent(1), run = on_host ? cols : 1, runs = on_host ? 1 : cols;
  Kokkos::parallel_for(
      "minidad::nn::embedding", Kokkos::RangePolicy<ExecSpace>(space, 0, out.extent(0) * runs),
      KOKKOS_LAMBDA(std::size_t item) {
        std::size_t const row = item / runs, begin = (item % runs) * run;
        std::size_t const id = id_of(ids(row, 0), weight.extent(0));
        for (std::size_t col = begin; col < begin + run; ++col) out(row, col) = weight(id, col);
      });
}

/// One work item a column (on a host: all columns) and share of the ids, those with the same lowest bits: it passes by
/// all rows and adds those of its ids. So every sum is of one item, and in the order of the rows.
void scatter(ExecSpace const& space, Matrix const& ids, Matrix const& delta, Matrix const& sum) {
  std::size_t const cols = sum.extent(1), run = on_host ? cols : 1, runs = on_host ? 1 : cols;
  std::size_t const rows = delta.extent(0), vocabulary = sum.extent(0);
  std::size_t const wanted = on_host ? static_cast<std::size_t>(space.concurrency()) : 128;
  std::size_t shares = 1;  // the sums do not depend on how many
  while (shares < wanted && shares < vocabulary) shares *= 2;
  Kokkos::parallel_for(
      "minidad::nn::embedding_gradient", Kokkos::RangePolicy<ExecSpace>(space, 0, shares * runs),
      KOKKOS_LAMBDA(std::size_t item) {
        std::size_t const share = item / runs, begin = (item % runs) * run, end = begin + run;
        for (std::size_t id = share; id < vocabulary; id += shares)
          for (std::size_t col = begin; col < end; ++col) sum(id, col) = 0;
        for (std::size_t row = 0; row < rows; ++row) {
          std::size_t const id = id_of(ids(row, 0), vocabulary);
          if ((id & (shares - 1)) != share) continue;
          for (std::size_t col = begin; col < end; ++col) sum(id, col) += delta(row, col);
        }
      });
}

void unit_rows(ExecSpace const& space, Matrix const& ids, Matrix const& input) {
  for_each_element(
      "minidad::nn::unit_rows", space, input.extent(0), input.extent(1),
      KOKKOS_LAMBDA(std::size_t row, std::size_t col) {
        input(row, col) = id_of(ids(row, 0), input.extent(1)) == col ? Real(1) : Real(0);
      });
}

}  // namespace

std::string Embedding::describe() const {
  return fmt::format("embedding {} vocabulary={}", out().channels, vocabulary_);
}

LayerShape Embedding::shape() const {
  auto const rows = in().places(), width = out().channels;
  return {.name = "embedding",
          .in = vocabulary_,
          .out = width,
          .rows = rows,
          .wire = {rows, 1, width},
          .weights = {{"weight", 0, 0, vocabulary_, width}}};
}

void Embedding::initialise(ExecSpace const& space, std::uint64_t seed, std::uint32_t index,
                           LayerParameters const& to) const {
  fill_uniform(space, seed, index, 0, 0.02 * std::sqrt(3.0), to.weight());
}

void Embedding::forward(Pass const& pass, LayerParameters const& p, Place const& at) const {
  gather(pass.space, at.in, p.weight(), at.out);
}

void Embedding::propagate(Pass const& pass, LayerParameters const&, Place const& at) const {
  fill(pass.space, at.delta_in, 0);
}

void Embedding::form_gradient(ExecSpace const& space, LayerStats const& wire, Vector const&,
                              LayerParameters const& sum) const {
  scatter(space, wire.input, wire.delta, sum.weight());
}

void Embedding::expand(ExecSpace const& space, Matrix const& wire_input, Matrix const& input) const {
  unit_rows(space, wire_input, input);
}

}  // namespace minidad
