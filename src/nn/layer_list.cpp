// SPDX-License-Identifier: BSD-3-Clause
#include "nn/layer_list.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>

#include "core/error.hpp"
#include "nn/layer_line.hpp"
#include "nn/layers/activate.hpp"
#include "nn/layers/attention.hpp"
#include "nn/layers/conv.hpp"
#include "nn/layers/dense.hpp"
#include "nn/layers/dropout.hpp"
#include "nn/layers/embedding.hpp"
#include "nn/layers/gelu.hpp"
#include "nn/layers/group_norm.hpp"
#include "nn/layers/gru.hpp"
#include "nn/layers/layer_norm.hpp"
#include "nn/layers/lstm.hpp"
#include "nn/layers/pool.hpp"
#include "nn/layers/positions.hpp"

namespace minidad {

namespace {

using Make = std::function<std::shared_ptr<Layer const>(LayerLine&, SampleShape const&, ModelEnds const&)>;

/// Refuses what does not fit.
Window expect_fit(LayerLine const& line, Window const& window, SampleShape const& in) {
  constexpr std::size_t most = 4096;  // keeps its square far from overflow
  auto const k = window.kernel;
  if (k > most) line.complain(fmt::format("the window is {0}x{0}, it may be {1}x{1} at most", k, most));
  if (window.pad >= k)
    line.complain(fmt::format("pad={} puts the window of {}x{} wholly beside the image", window.pad, k, k));
  if (!window.fits(in))
    line.complain(fmt::format("the window of {0}x{0} does not fit into {1}{2}", k, to_string(in),
                              window.pad > 0 ? fmt::format(" with pad={}", window.pad) : ""));
  return window;
}

void expect_sequence(LayerLine const& line, SampleShape const& in) {
  if (in.width != 1)
    line.complain(
        fmt::format("it reads a sequence, but {} is an image; \"sequence\" makes one of its rows", to_string(in)));
}

/// The layers that are one step.
struct Kind {
  char const* name;
  Make make;
};
std::vector<Kind> const& kinds() {
  static std::vector<Kind> const table{
      {"avgpool",
       [](LayerLine&, SampleShape const& in, ModelEnds const&) { return std::make_shared<AveragePool>(in); }},
      {"conv",
       [](LayerLine& line, SampleShape const& in, ModelEnds const&) {
         auto const filters = line.size("the number of filters");
         Window const window{.kernel = line.option("kernel", std::nullopt),
                             .stride = line.option("stride", 1),
                             .pad = line.option("pad", 0, 0)};
         bool const bias = !line.flag("nobias");
         return std::make_shared<Conv>(in, filters, expect_fit(line, window, in), line.activation(), bias);
       }},
      {"dense",
       [](LayerLine& line, SampleShape const& in, ModelEnds const& ends) {
         auto const width = line.size("the width", ends.classes);
         return std::make_shared<Dense>(in, width, line.activation());
       }},
      {"embedding",
       [](LayerLine& line, SampleShape const& in, ModelEnds const& ends) {
         auto const width = line.size("the width");
         auto const vocabulary = line.option("vocabulary", ends.classes);
         if (in.channels != 1)
           line.complain(
               fmt::format("an id is one number a place, but there are {} in {}", in.channels, to_string(in)));
         return std::make_shared<Embedding>(in, width, vocabulary);
       }},
      {"gelu", [](LayerLine&, SampleShape const& in, ModelEnds const&) { return std::make_shared<Gelu>(in); }},
      {"groupnorm",
       [](LayerLine& line, SampleShape const& in, ModelEnds const&) {
         auto const groups = line.option("groups", std::nullopt);
         if (in.channels % groups != 0)
           line.complain(
               fmt::format("{} groups do not divide the {} channels of {}", groups, in.channels, to_string(in)));
         return std::make_shared<GroupNorm>(in, groups);
       }},
      {"gru",
       [](LayerLine& line, SampleShape const& in, ModelEnds const&) {
         expect_sequence(line, in);
         return std::make_shared<Gru>(in, line.size("the width"));
       }},
      {"last", [](LayerLine&, SampleShape const& in, ModelEnds const&) { return std::make_shared<Last>(in); }},
      {"layernorm",
       [](LayerLine&, SampleShape const& in, ModelEnds const&) { return std::make_shared<LayerNorm>(in); }},
      {"lstm",
       [](LayerLine& line, SampleShape const& in, ModelEnds const&) {
         expect_sequence(line, in);
         return std::make_shared<Lstm>(in, line.size("the width"));
       }},
      {"maxpool",
       [](LayerLine& line, SampleShape const& in, ModelEnds const&) {
         auto const kernel = line.size("the window");
         Window const window{.kernel = kernel, .stride = line.option("stride", kernel)};
         return std::make_shared<MaxPool>(in, expect_fit(line, window, in));
       }},
      {"positions",
       [](LayerLine&, SampleShape const& in, ModelEnds const&) { return std::make_shared<Positions>(in); }},
  };
  return table;
}

/// Reads lines and appends their steps.
class Builder {
 public:
  Builder(ModelEnds const& ends, std::string origin)
      : ends_(ends), origin_(std::move(origin)), model_(ends.input, ends.input_delta), shape_(ends.input) {}

  void add(std::vector<std::string> const& lines) {
    for (std::size_t i = 0; i < lines.size(); ++i) {
      LayerLine line(lines[i], fmt::format("{}, line {}", origin_, i + 1));
      if (line.kind() == "repeat") {
        auto const end = matching_end(lines, i, line);
        auto const times = line.size("how often");
        line.done();
        for (std::size_t t = 0; t < times; ++t) add_stretch(lines, i + 1, end);
        i = end;
      } else {
        add(line);
      }
    }
  }

  Model finish() {
    if (!open_.empty()) open_.back().line.complain("has no \"end\"");
    if (model_.shapes().empty()) refuse(fmt::format("{}: there is nothing to learn", origin_));
    SampleShape const wanted{.height = shape_.height, .width = shape_.width, .channels = ends_.classes};
    if (shape_.places() != ends_.labels || shape_ != wanted)
      refuse(fmt::format("{}: it ends in {}, but there {} of {} classes", origin_, to_string(shape_),
                         ends_.labels == 1 ? "is 1 label" : fmt::format("are {} labels", ends_.labels), ends_.classes));
    expect_size();
    return std::move(model_);
  }

 private:
  struct Open {
    LayerLine line;
    std::size_t value;
    SampleShape shape;
    bool project;
  };

  /// Lines [begin, end) once more, with their own numbers.
  void add_stretch(std::vector<std::string> const& lines, std::size_t begin, std::size_t end) {
    std::vector<std::string> part(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(end));
    auto const depth = open_.size();
    for (std::size_t i = begin; i < end; ++i) {
      LayerLine line(part[i], fmt::format("{}, line {}", origin_, i + 1));
      if (line.kind() == "repeat") line.complain("repeats do not nest");
      add(line);
    }
    if (open_.size() != depth) open_.back().line.complain("has no \"end\" inside its repeat");
  }

  std::size_t matching_end(std::vector<std::string> const& lines, std::size_t from, LayerLine const& line) const {
    std::size_t depth = 0;
    for (std::size_t i = from; i < lines.size(); ++i) {
      auto const kind = LayerLine(lines[i], fmt::format("{}, line {}", origin_, i + 1)).kind();
      if (kind == "repeat" || kind == "residual") ++depth;
      if (kind == "end" && --depth == 0) return i;
    }
    line.complain("has no \"end\"");
  }

  void add(LayerLine& line) {
    auto const& kind = line.kind();
    if (kind == "residual") {
      bool const project = line.flag("project");
      line.done();
      open_.push_back({line, value_, shape_, project});
    } else if (kind == "end") {
      join(line);
    } else if (kind == "flatten") {
      line.done();
      shape_ = {.channels = shape_.size()};
    } else if (kind == "sequence") {  // the rows of an image, one after another
      line.done();
      shape_ = {.height = shape_.height, .channels = shape_.width * shape_.channels};
    } else if (kind == "tokens") {  // the pixels of an image, one after another
      line.done();
      shape_ = {.height = shape_.places(), .channels = shape_.channels};
    } else if (kind == "attention") {
      add_attention(line);
    } else {
      append(make(line));
    }
  }

  void add_attention(LayerLine& line) {
    Heads const heads{.count = line.option("heads", std::nullopt), .causal = line.flag("causal")};
    line.done();
    auto const width = shape_.channels;
    if (width % heads.count != 0)
      line.complain(fmt::format("{} heads do not divide the width {} of {}", heads.count, width, to_string(shape_)));
    append(std::make_shared<Dense>(shape_, 3 * width, Activation::identity, "queries, keys and values"));
    append(std::make_shared<Attention>(shape_, heads));
    append(std::make_shared<Dense>(shape_, width, Activation::identity, "heads"));
  }

  std::shared_ptr<Layer const> make(LayerLine& line) const {
    auto const& kind = line.kind();
    std::shared_ptr<Layer const> layer;
    auto const known =
        std::find_if(kinds().begin(), kinds().end(), [&](Kind const& candidate) { return candidate.name == kind; });
    if (known != kinds().end()) {
      layer = known->make(line, shape_, ends_);
    } else if (kind == "dropout") {
      auto const probability = line.leading_fraction("the probability");
      layer = std::make_shared<Dropout>(shape_, probability, static_cast<std::uint32_t>(model_.steps().size()));
    } else if (std::find(activation_names.begin(), activation_names.end(), kind) != activation_names.end()) {
      layer = std::make_shared<Activate>(shape_, activation_named(kind), false);
    } else {
      std::vector<std::string> names{"attention", "dropout",  "end",      "flatten",
                                     "repeat",    "residual", "sequence", "tokens"};
      for (auto const& candidate : kinds()) names.emplace_back(candidate.name);
      names.insert(names.end(), activation_names.begin(), activation_names.end());
      std::sort(names.begin(), names.end());
      line.complain(fmt::format("layer '{}' is unknown; there are {}", kind, fmt::join(names, ", ")));
    }
    line.done();
    if (kind == "embedding" && model_.needs_delta(value_) && value_ > 0)
      line.complain("it takes ids from the data, but stands behind layers that learn");
    return layer;
  }

  void append(std::shared_ptr<Layer const> layer) {
    shape_ = layer->out();
    value_ = model_.append(std::move(layer), value_);
  }

  void join(LayerLine& line) {
    if (open_.empty()) line.complain("there is nothing to end");
    auto const phi = line.activation();
    line.done();
    auto const [start, from, shape, project] = open_.back();
    open_.pop_back();
    auto const branch = value_, shortcut = shape_ == shape ? from : project_onto(start, from, shape, project);
    value_ = model_.append(std::make_shared<Activate>(shape_, phi, true), branch, shortcut);
  }

  /// The value `from` as the branch is now, by a convolution of single pixels (He et al. 2016, option B).
  std::size_t project_onto(LayerLine const& start, std::size_t from, SampleShape const& shape, bool project) {
    auto const stride = (shape.height + shape_.height - 1) / shape_.height;
    Window const pixels{.kernel = 1, .stride = stride};
    if (!project || pixels.places(shape, shape_.channels) != shape_)
      start.complain(fmt::format("the branch turns {} into {}, and cannot be added to {}", to_string(shape),
                                 to_string(shape_), project ? "what a projection makes of its input" : "its input"));
    return model_.append(std::make_shared<Conv>(shape, shape_.channels, pixels, Activation::identity), from);
  }

  void expect_size() const {
    constexpr double most = 1e15;  // parameters: keeps every size in bytes far from overflow
    double count = 0;
    for (auto const& shape : model_.shapes())
      count += static_cast<double>(shape.in) * static_cast<double>(shape.out) + static_cast<double>(shape.rest);
    if (count > most) refuse(fmt::format("{} asks for {:.2g} parameters, beyond any machine", origin_, count));
  }

  ModelEnds ends_;
  std::string origin_;
  Model model_;
  std::size_t value_ = 0;
  SampleShape shape_;
  std::vector<Open> open_;
};

}  // namespace

std::string to_text(Model const& model) {
  std::string text;
  for (auto const& [layer, in, out, second, parameters] : model.steps())
    text += fmt::format("{}{}, {} -> {}\n", parameters ? fmt::format("layer{}: ", *parameters) : "", layer->describe(),
                        to_string(layer->in()), to_string(layer->out()));
  return text;
}

Model build_model(std::vector<std::string> const& lines, ModelEnds const& ends, std::string const& origin) {
  Builder builder(ends, origin);
  builder.add(lines);
  return builder.finish();
}

}  // namespace minidad
