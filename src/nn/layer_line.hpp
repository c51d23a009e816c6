// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/sample_shape.hpp"
#include "nn/activation.hpp"

namespace minidad {

/// A line of model.layers, "conv 32 kernel=3 pad=1 relu": what kind of layer, one size, options, an activation.
/// Whoever builds the layer takes what it knows; done() refuses the rest. All complaints are Error(user) and name the
/// line.
class LayerLine {
 public:
  /// `where`: "model.layers, line 3".
  LayerLine(std::string const& text, std::string where);

  std::string const& kind() const { return kind_; }
  std::string const& text() const { return text_; }
  /// The number behind the kind; `classes` may stand for the number of classes.
  std::size_t size(char const* what, std::size_t classes = 0);
  bool has_size() const;
  /// key=number; at least `least`.
  std::size_t option(char const* key, std::optional<std::size_t> otherwise, std::size_t least = 1);
  /// key=number, from 0 to less than 1.
  double fraction(char const* key, std::optional<double> otherwise);
  /// The same behind the kind, without a key.
  double leading_fraction(char const* what);
  /// A bare word.
  bool flag(char const* word);
  /// The name of an activation, if there is one: identity otherwise.
  Activation activation();
  void done() const;

  [[noreturn]] void complain(std::string const& what) const;

 private:
  std::optional<std::string> take(std::string const& key);
  std::size_t number(std::string const& what, std::string const& text, std::size_t least) const;
  double fraction_from(std::string const& what, std::string const& text) const;

  std::string text_, where_, kind_;
  std::vector<std::string> words_;
};

/// "28x28x1"; "128x64" for a sequence, "784" for plain features.
std::string to_string(SampleShape const& shape);

}  // namespace minidad
