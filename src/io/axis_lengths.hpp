// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "io/schema.hpp"

namespace minidad {

inline char const* name_of(schema::Axis axis) { return schema::axis_names[static_cast<std::size_t>(axis)]; }

inline std::span<schema::Axis const> axes_of(schema::Series const& series) {
  return {series.axis.data(), static_cast<std::size_t>(series.axes)};
}

/// Whether it holds what each rank measured itself.
inline bool is_per_rank(schema::Series const& series) {
  return series.axes > 1 && series.axis[1] == schema::Axis::rank;
}

/// How long the axes of a run file are that do not grow, and which it has.
class AxisLengths {
 public:
  bool has(schema::Axis axis) const { return at(axis).has_value(); }
  bool has(schema::Series const& series) const {
    auto const axes = axes_of(series);
    return std::all_of(axes.begin(), axes.end(), [&](schema::Axis axis) { return has(axis); });
  }
  /// Of an axis that is there; 0 for one that grows.
  std::size_t of(schema::Axis axis) const { return *at(axis); }
  void set(schema::Axis axis, std::size_t length) { length_[static_cast<std::size_t>(axis)] = length; }

 private:
  std::optional<std::size_t> const& at(schema::Axis axis) const { return length_[static_cast<std::size_t>(axis)]; }
  std::array<std::optional<std::size_t>, schema::axis_names.size()> length_;
};

}  // namespace minidad
