// SPDX-License-Identifier: BSD-3-Clause
#include "nn/models.hpp"

#include <fmt/format.h>

namespace minidad {

namespace {

using Lines = std::vector<std::string>;

void add(Lines& lines, Lines const& more) { lines.insert(lines.end(), more.begin(), more.end()); }

std::int64_t or_usual(std::int64_t value, std::int64_t usual) { return value == 0 ? usual : value; }

Lines dropout(double fraction) { return fraction > 0 ? Lines{fmt::format("dropout {}", fraction)} : Lines{}; }

Lines mlp(NetworkSettings const& settings, ModelEnds const& ends) {
  Lines lines;
  if (ends.input.places() > 1) lines.emplace_back("flatten");
  for (auto const width : settings.hidden) lines.push_back(fmt::format("dense {} {}", width, settings.activation));
  lines.emplace_back("dense classes");
  return lines;
}

Lines cnn(NetworkSettings const& settings) {
  auto width = or_usual(settings.width, 32);
  Lines lines;
  for (std::int64_t i = 0; i < or_usual(settings.depth, 2); ++i, width *= 2)
    add(lines, {fmt::format("conv {} kernel=3 pad=1 relu", width), "maxpool 2"});
  add(lines, {"flatten", fmt::format("dense {} relu", 2 * width)});
  add(lines, dropout(settings.dropout));
  add(lines, {"dense classes"});
  return lines;
}

Lines resnet20(NetworkSettings const& settings) {
  constexpr int stages = 3, blocks = 3;
  auto width = or_usual(settings.width, 16);
  auto const norm = [&] { return fmt::format("groupnorm groups={}", width % 8 == 0 ? 8 : 1); };
  auto const conv = [&](int stride) { return fmt::format("conv {} kernel=3 stride={} pad=1 nobias", width, stride); };
  Lines lines{conv(1), norm(), "relu"};
  for (int stage = 0; stage < stages; ++stage) {
    if (stage > 0) width *= 2;
    for (int block = 0; block < blocks; ++block) {
      bool const shrinks = stage > 0 && block == 0;
      add(lines, {shrinks ? "residual project" : "residual", conv(shrinks ? 2 : 1), norm(), "relu", conv(1), norm(),
                  "end relu"});
    }
  }
  add(lines, {"avgpool", "dense classes"});
  return lines;
}

Lines gru(NetworkSettings const& settings) {
  Lines lines{"sequence", fmt::format("gru {}", or_usual(settings.width, 128)), "last"};
  add(lines, dropout(settings.dropout));
  add(lines, {"dense classes"});
  return lines;
}

/// Pre-norm blocks, as GPT-2 and ViT have them.
Lines transformer(NetworkSettings const& settings, std::int64_t width, bool causal) {
  Lines lines{fmt::format("repeat {}", or_usual(settings.depth, 4)), "residual", "layernorm",
              fmt::format("attention heads={}{}", settings.heads, causal ? " causal" : "")};
  add(lines, dropout(settings.dropout));
  add(lines,
      {"end", "residual", "layernorm", fmt::format("dense {}", 4 * width), "gelu", fmt::format("dense {}", width)});
  add(lines, dropout(settings.dropout));
  add(lines, {"end", "end", "layernorm"});
  return lines;
}

Lines vit(NetworkSettings const& settings) {
  auto const width = or_usual(settings.width, 64);
  Lines lines{fmt::format("conv {0} kernel={1} stride={1}", width, settings.patch), "tokens", "positions"};
  add(lines, transformer(settings, width, false));
  add(lines, {"avgpool", "dense classes"});
  return lines;
}

Lines gpt(NetworkSettings const& settings) {
  auto const width = or_usual(settings.width, 128);
  Lines lines{fmt::format("embedding {}", width), "positions"};
  add(lines, transformer(settings, width, true));
  add(lines, {"dense classes"});
  return lines;
}

}  // namespace

std::vector<std::string> layer_lines(NetworkSettings const& settings, ModelEnds const& ends) {
  auto const& name = settings.name;
  if (name == "mlp") return mlp(settings, ends);
  if (name == "cnn") return cnn(settings);
  if (name == "resnet20") return resnet20(settings);
  if (name == "gru") return gru(settings);
  if (name == "vit") return vit(settings);
  if (name == "gpt") return gpt(settings);
  return settings.layers;
}

Model make_model(NetworkSettings const& settings, ModelEnds const& ends) {
  activation_named(settings.activation);
  auto const origin = settings.name == "layers" ? "model.layers"
                      : settings.name == "mlp"  ? "model.hidden"
                                                : "model.name = \"" + settings.name + "\"";
  return build_model(layer_lines(settings, ends), ends, origin);
}

}  // namespace minidad
