// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "core/types.hpp"

namespace minidad {

/// The Euclidean norm of a gradient as a whole, and the factor that shortens it, both left on the device. Sums are
/// formed block by block in double, in a fixed order: where ranks have the same gradient they get the same factor, bit
/// for bit.
class GradientNorm {
 public:
  GradientNorm(std::size_t parameters, double longest);

  bool clips() const { return longest_ > 0; }
  /// Takes the norm; the factor is then min(1, longest / norm), or 1 where nothing is clipped. What is not finite stays
  /// so: a NaN leaves the factor at 1, an infinity makes it 0.   Pascanu et al. 2013 (arXiv 1211.5063)
  void measure(ExecSpace const& space, Vector const& gradient) const;
  Vector const& factor() const { return factor_; }
  /// Of the last one measured. Brings it to the host, so it fences.
  double value(ExecSpace const& space) const;

 private:
  double longest_;
  Kokkos::View<double*, ExecSpace> partial_;  // of each block
  Kokkos::View<double, ExecSpace> norm_;
  Vector factor_;  // (1)
};

}  // namespace minidad
