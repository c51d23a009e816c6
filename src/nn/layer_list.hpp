// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "nn/model.hpp"

namespace minidad {

/// What a model stands between.
struct ModelEnds {
  SampleShape input;
  std::size_t classes;
  std::size_t labels = 1;    ///< a sample
  bool input_delta = false;  ///< dL/d(input) is wanted too
};

/// The model that a list of layers describes, one a line (docs/models.md has them all); `origin` names the list in
/// complaints. The last value must be `labels` places of `classes` channels. Throws Error(user) that names the line and
/// the shapes which do not fit.
Model build_model(std::vector<std::string> const& lines, ModelEnds const& ends, std::string const& origin);

/// One step a line: "layer1: conv 64 kernel=3, 14x14x32 -> 14x14x64", with the number of those that have parameters.
std::string to_text(Model const& model);

}  // namespace minidad
