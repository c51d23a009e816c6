// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "compress/row_compressor.hpp"
#include "exchange/exact_part.hpp"
#include "nn/parameters.hpp"

namespace minidad {

inline constexpr std::array<char const*, 3> pattern_names{"oneway", "root", "tree"};

/// What the low-rank exchanges ("rank_dad", "powersgd", "power_dad") can be told.
struct LowRankSettings {
  std::int64_t width = 4;          ///< rows (rank_dad) or columns (powersgd, power_dad) a layer; the most with epsilon
  double epsilon = 0;              ///< > 0: the certified relative error a step may make (rank_dad, power_dad)
  std::string solver = "block";    ///< of rank_dad, one of solver_names
  std::string pattern = "oneway";  ///< of rank_dad, one of pattern_names
  std::int64_t sweeps = 1;         ///< power iterations a step ("block", power_dad), or a component ("author")
  std::int64_t oversampling = 4;   ///< columns iterated beyond those that are wanted ("block")
  bool warm_start = true;          ///< begin where the last step ended ("block", powersgd, power_dad)
  bool drop_last = true;           ///< "author": lose the last component, as published
  std::int64_t feedback = 0;       ///< rows of each layer's error that are kept (rank_dad, power_dad); 0: none
  std::int64_t feedback_period = 8;  ///< steps between reductions to that many rows
  bool dense_feedback = true;        ///< powersgd: keep the whole error
  double min_compression = 2;        ///< layers that would shrink by less are summed exactly
  std::int64_t start_step = 0;       ///< steps that are exact (dsgd), before compression starts

  MemorySettings memory() const {
    return {.rows = static_cast<std::size_t>(feedback), .period = static_cast<std::size_t>(feedback_period)};
  }
  ReducerSettings reducer() const {
    return {.solver = solver,
            .sweeps = sweeps,
            .oversampling = oversampling,
            .warm_start = warm_start,
            .drop_last = drop_last};
  }
};

/// A layer is worth compressing when its weights are more scalars than min_compression times the width (in + out) that
/// would travel.   Vogels et al. 2019, and PyTorch's powerSGD_hook
inline bool worth_compressing(LowRankSettings const& settings, LayerShape const& shape) {
  auto const whole = static_cast<double>(shape.weight_size()),
             small = static_cast<double>(settings.width) * static_cast<double>(shape.in + shape.out);
  return shape.has_product() && whole > settings.min_compression * small;
}

inline std::vector<bool> which_compressed(std::vector<LayerShape> const& shapes, LowRankSettings const& settings) {
  std::vector<bool> compressed;
  for (auto const& shape : shapes) compressed.push_back(worth_compressing(settings, shape));
  return compressed;
}

/// What low-rank exchanges sum: whole gradients where nothing is compressed, and all that is no product.
inline std::vector<ExactPart::Share> exact_shares(std::vector<bool> const& compressed) {
  std::vector<ExactPart::Share> shares;
  for (bool const is : compressed) shares.push_back(is ? ExactPart::Share::rest : ExactPart::Share::all);
  return shares;
}

/// The most rows that one of `ranks` ranks has of `rows`.
inline std::size_t share_of(std::size_t rows, int ranks) {
  auto const n = static_cast<std::size_t>(ranks);
  return (rows + n - 1) / n;
}

/// Rows that low-rank error feedback holds for a layer whose share has at most `local` rows: the stack, what it is
/// reduced to, and the basis of that with its copy in double.
inline double memory_rows(LowRankSettings const& settings, std::size_t local) {
  if (settings.feedback == 0) return 0;
  return static_cast<double>(RowMemory::capacity(settings.memory(), local, static_cast<std::size_t>(settings.width))) +
         4 * static_cast<double>(settings.feedback);
}

}  // namespace minidad
