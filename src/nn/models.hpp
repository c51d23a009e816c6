// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "nn/layer_list.hpp"

namespace minidad {

inline constexpr std::array<char const*, 7> model_names{"mlp", "cnn", "resnet20", "gru", "vit", "gpt", "layers"};

struct NetworkSettings {
  std::string name = "mlp";                      ///< one of model_names
  std::vector<std::int64_t> hidden{1024, 1024};  ///< mlp: widths of the hidden layers; may be empty
  std::string activation = "relu";               ///< mlp: of the hidden layers; the last one is linear
  std::int64_t width =
      0;  ///< channels of the first layer (cnn, resnet20), hidden state (gru), token (vit, gpt); 0: usual
  std::int64_t depth = 0;             ///< convolutions (cnn), blocks (vit, gpt); 0: as usual
  std::int64_t heads = 4;             ///< of attention (vit, gpt)
  std::int64_t patch = 4;             ///< pixels on a side of what becomes a token (vit)
  double dropout = 0;                 ///< before the last layer (cnn, gru), at the end of each branch (vit, gpt)
  std::vector<std::string> layers{};  ///< layers: one a line, see build_model
};

/// The list of layers that the settings stand for.
///   mlp       dense layers.
///   cnn       convolutions 3×3 with ReLU, each twice as wide as the one before, halved by max pooling; two dense layers.
///   resnet20  He et al. 2016 (arXiv 1512.03385), section 4.2, with GroupNorm (Wu & He 2018, arXiv 1803.08494) where they
///             have BatchNorm: statistics over a batch depend on how many rows a rank happens to hold, so neither the
///             sum of the ranks' gradients nor the replicas would be what one rank computes; those over a sample do not.
///   gru       the rows of an image, or the steps of a series, through a GRU; its last state is classified.
///   vit       Dosovitskiy et al. 2021 (arXiv 2010.11929) with the mean over tokens for their class token.
///   gpt       Radford et al. 2019: pre-norm transformer blocks with causal attention; the next token at every place.
std::vector<std::string> layer_lines(NetworkSettings const& settings, ModelEnds const& ends);

/// The model of the settings. Throws Error(user) as build_model does.
Model make_model(NetworkSettings const& settings, ModelEnds const& ends);

}  // namespace minidad
