// SPDX-License-Identifier: BSD-3-Clause
#include "train/consensus.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace minidad {

namespace {

constexpr std::size_t longest_piece = 1 << 18;

Vector stretch_of(Vector const& x, std::size_t begin, std::size_t size) {
  return Kokkos::subview(x, Kokkos::make_pair(begin, begin + size));
}

/// {||x - sum/ranks||², ||sum/ranks||²}
std::array<double, 2> squares(ExecSpace const& space, Vector const& x, Vector const& sum, double ranks) {
  double apart = 0, together = 0;
  Kokkos::parallel_reduce(
      "minidad::train::consensus", Kokkos::RangePolicy<ExecSpace>(space, 0, x.extent(0)),
      KOKKOS_LAMBDA(std::size_t i, double& partial_apart, double& partial_together) {
        double const mean = static_cast<double>(sum(i)) / ranks, away = static_cast<double>(x(i)) - mean;
        partial_apart += away * away;
        partial_together += mean * mean;
      },
      apart, together);
  return {apart, together};
}

}  // namespace

Consensus::Consensus(Communicator& comm)
    : comm_(comm),
      piece_("minidad::train::consensus_piece", longest_piece),
      sum_(comm, piece_, {{"control", longest_piece}}) {}

double Consensus::distance(ExecSpace const& space, Vector const& parameters) {
  auto const ranks = static_cast<double>(comm_.size());
  double apart[1] = {0}, together = 0;
  for (std::size_t begin = 0; begin < parameters.extent(0); begin += longest_piece) {
    std::size_t const size[1] = {std::min(longest_piece, parameters.extent(0) - begin)};
    auto const mine = stretch_of(parameters, begin, size[0]), sum = stretch_of(piece_, 0, size[0]);
    Kokkos::deep_copy(space, sum, mine);
    sum_.start(space, size);
    sum_.finish(space);
    auto const [more_apart, more_together] = squares(space, mine, sum, ranks);
    apart[0] += more_apart;
    together += more_together;
  }
  comm_.sum(std::span<double>(apart));
  return apart[0] == 0 ? 0 : std::sqrt(apart[0] / ranks / together);
}

}  // namespace minidad
