// SPDX-License-Identifier: BSD-3-Clause
#include "nn/layers/embedding.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>

#include "core/fill.hpp"
#include "core/for_each_element.hpp"
#include "core/row_team.hpp"

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

/// The sums of a table are dealt by the lowest bits of the id, so that each is of one item, and in the order of the rows.
struct Deal {
  std::size_t vocabulary, shares = 1;
  Deal(std::size_t ids, std::size_t wanted) : vocabulary(ids) {
    while (shares < wanted && shares < vocabulary) shares *= 2;
  }
  KOKKOS_INLINE_FUNCTION bool has(std::size_t share, std::size_t id) const { return (id & (shares - 1)) == share; }
};

/// One work item a share: it passes by all rows and adds those of its ids.
void scatter_by_shares(ExecSpace const& space, Matrix const& ids, Matrix const& delta, Matrix const& sum) {
  std::size_t const cols = sum.extent(1), rows = delta.extent(0);
  Deal const deal(sum.extent(0), static_cast<std::size_t>(space.concurrency()));
  Kokkos::parallel_for(
      "minidad::nn::embedding_gradient", Kokkos::RangePolicy<ExecSpace>(space, 0, deal.shares),
      KOKKOS_LAMBDA(std::size_t share) {
        for (std::size_t id = share; id < deal.vocabulary; id += deal.shares)
          for (std::size_t col = 0; col < cols; ++col) sum(id, col) = 0;
        for (std::size_t row = 0; row < rows; ++row) {
          std::size_t const id = id_of(ids(row, 0), deal.vocabulary);
          if (!deal.has(share, id)) continue;
          for (std::size_t col = 0; col < cols; ++col) sum(id, col) += delta(row, col);
        }
      });
}

/// One team a share: its threads look at a row each and list those of the share; then each takes columns, and adds what
/// is listed.
void scatter_by_teams(ExecSpace const& space, Matrix const& ids, Matrix const& delta, Matrix const& sum) {
  constexpr int most_threads = 128;
  std::size_t const cols = sum.extent(1), rows = delta.extent(0);
  Deal const deal(sum.extent(0), 128);
  auto policy = teams_of(space, deal.shares, most_threads);
  policy.set_scratch_size(0, Kokkos::PerTeam((most_threads + 1) * sizeof(std::uint64_t)));
  Kokkos::parallel_for(
      "minidad::nn::embedding_gradient", policy, KOKKOS_LAMBDA(TeamMember const& team) {
        auto* const list = static_cast<std::uint64_t*>(
            team.team_scratch(0).get_shmem_aligned((most_threads + 1) * sizeof(std::uint64_t), sizeof(std::uint64_t)));
        auto& length = list[most_threads];
        auto const share = static_cast<std::size_t>(team.league_rank()),
                   me = static_cast<std::size_t>(team.team_rank()),
                   threads = static_cast<std::size_t>(team.team_size());
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, cols), [&](std::size_t col) {
          for (std::size_t id = share; id < deal.vocabulary; id += deal.shares) sum(id, col) = 0;
        });
        for (std::size_t begin = 0; begin < rows; begin += threads) {
          std::size_t const row = begin + me;
          int const listed = row < rows && deal.has(share, id_of(ids(row, 0), deal.vocabulary)) ? 1 : 0;
          int const place = team.team_scan(listed);
          if (listed != 0) list[place] = row;
          if (me + 1 == threads) length = static_cast<std::uint64_t>(place) + static_cast<std::uint64_t>(listed);
          team.team_barrier();
          Kokkos::parallel_for(Kokkos::TeamThreadRange(team, cols), [&](std::size_t col) {
            for (std::size_t i = 0; i < length; ++i)
              sum(id_of(ids(list[i], 0), deal.vocabulary), col) += delta(list[i], col);
          });
          team.team_barrier();
        }
      });
}

void scatter(ExecSpace const& space, Matrix const& ids, Matrix const& delta, Matrix const& sum) {
  if (on_host)
    scatter_by_shares(space, ids, delta, sum);
  else
    scatter_by_teams(space, ids, delta, sum);
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
