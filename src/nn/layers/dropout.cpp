// SPDX-License-Identifier: BSD-3-Clause
#include "nn/layers/dropout.hpp"

#include <fmt/format.h>

#include "core/for_each_element.hpp"
#include "core/random.hpp"
#include "linalg/rows.hpp"

namespace minidad {

namespace {

constexpr std::size_t group =
    32;  ///< counters whose words serve 4 group scalars: word w of counter c scalar w group + c

/// x[w][c] <- word w of philox(key, {first + c, ...}), c < lanes. The loops are those of philox(), turned inside out
/// for the vector units of a host.
template <int lanes>
KOKKOS_INLINE_FUNCTION void draw(std::uint64_t key, std::uint32_t first, std::uint64_t sample,
                                 std::uint32_t (&x)[4][lanes]) {
  for (int c = 0; c < lanes; ++c) {
    x[0][c] = first + static_cast<std::uint32_t>(c);
    x[1][c] = static_cast<std::uint32_t>(sample);
    x[2][c] = static_cast<std::uint32_t>(sample >> 32);
    x[3][c] = 0;
  }
  auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    for (int c = 0; c < lanes; ++c) {
      Words4 const y = philox_round(k0, k1, {{x[0][c], x[1][c], x[2][c], x[3][c]}});
      x[0][c] = y.x[0];
      x[1][c] = y.x[1];
      x[2][c] = y.x[2];
      x[3][c] = y.x[3];
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
}

struct Mask {
  std::uint64_t key;
  std::uint64_t first_row;
  std::uint32_t below;  ///< words whose upper 24 bits are below drop
  Real scale;
};

/// to <- from .* mask, a row a sample. On a host one item a group of counters, on a GPU one a counter.
void drop(ExecSpace const& space, Mask const& mask, Matrix const& from, Matrix const& to) {
  constexpr std::size_t lanes = on_host ? group : 1;
  std::size_t const size = from.extent(1), groups = (size + 4 * group - 1) / (4 * group);
  std::size_t const items = groups * (group / lanes);
  Kokkos::parallel_for(
      "minidad::nn::dropout", Kokkos::RangePolicy<ExecSpace>(space, 0, from.extent(0) * items),
      KOKKOS_LAMBDA(std::size_t item) {
        std::size_t const row = item / items, first = (item % items) * lanes;
        std::size_t const begin = first / group * (4 * group) + first % group;
        std::uint32_t x[4][lanes];
        draw(mask.key, static_cast<std::uint32_t>(first), mask.first_row + row, x);
        for (std::size_t w = 0; w < 4; ++w) {
          std::size_t const at = begin + w * group;
          for (std::size_t c = 0; c < lanes && at + c < size; ++c)
            to(row, at + c) = from(row, at + c) * ((x[w][c] >> 8) < mask.below ? Real(0) : mask.scale);
        }
      });
}

}  // namespace

std::string Dropout::describe() const { return fmt::format("dropout {}", probability_); }

void Dropout::apply(Pass const& pass, Matrix const& from, Matrix const& to) const {
  if (!pass.training || probability_ == 0) return copy_rows(pass.space, from, to);
  Words4 const words = philox(pass.seed, Stream::dropout, number_, pass.step);
  Mask const mask{.key = words.x[0] | std::uint64_t{words.x[1]} << 32,
                  .first_row = pass.first_row,
                  .below = static_cast<std::uint32_t>(probability_ * 16777216.0),
                  .scale = static_cast<Real>(1 / (1 - probability_))};
  auto const samples = from.size() / in().size();
  drop(pass.space, mask, Matrix(from.data(), samples, in().size()), Matrix(to.data(), samples, in().size()));
}

void Dropout::forward(Pass const& pass, LayerParameters const&, Place const& at) const { apply(pass, at.in, at.out); }

void Dropout::propagate(Pass const& pass, LayerParameters const&, Place const& at) const {
  apply(pass, at.delta_out, at.delta_in);
}

}  // namespace minidad
