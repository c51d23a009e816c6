// SPDX-License-Identifier: BSD-3-Clause
#include "nn/models.hpp"

#include <fmt/format.h>

namespace minidad {

namespace {

std::vector<std::string> mlp(NetworkSettings const& settings, ModelEnds const& ends) {
  std::vector<std::string> lines;
  if (ends.input.places() > 1) lines.emplace_back("flatten");
  for (auto const width : settings.hidden) lines.push_back(fmt::format("dense {} {}", width, settings.activation));
  lines.emplace_back("dense classes");
  return lines;
}

}  // namespace

std::vector<std::string> layer_lines(NetworkSettings const& settings, ModelEnds const& ends) {
  if (settings.name == "mlp") return mlp(settings, ends);
  return settings.layers;
}

Model make_model(NetworkSettings const& settings, ModelEnds const& ends) {
  activation_named(settings.activation);
  return build_model(layer_lines(settings, ends), ends,
                     settings.name == "layers" ? "model.layers" : "model.name = \"" + settings.name + "\"");
}

}  // namespace minidad
