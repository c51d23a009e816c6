// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "nn/layer_list.hpp"

namespace minidad {

inline constexpr std::array<char const*, 2> model_names{"mlp", "layers"};

struct NetworkSettings {
  std::string name = "mlp";                      ///< one of model_names
  std::vector<std::int64_t> hidden{1024, 1024};  ///< mlp: widths of the hidden layers; may be empty
  std::string activation = "relu";               ///< mlp: of the hidden layers; the last one is linear
  std::vector<std::string> layers{};             ///< layers: one a line, see build_model
};

/// The list of layers that the settings stand for.
std::vector<std::string> layer_lines(NetworkSettings const& settings, ModelEnds const& ends);

/// The model of the settings. Throws Error(user) as build_model does.
Model make_model(NetworkSettings const& settings, ModelEnds const& ends);

}  // namespace minidad
