// SPDX-License-Identifier: BSD-3-Clause
#include "nn/layers/activate.hpp"

#include "linalg/rows.hpp"

namespace minidad {

std::string Activate::describe() const {
  if (!joins_) return name(phi_);
  return phi_ == Activation::identity ? "end" : std::string("end ") + name(phi_);
}

void Activate::forward(Pass const& pass, LayerParameters const&, Place const& at) const {
  copy_rows(pass.space, at.in, at.out);
  if (joins_) add_rows(pass.space, at.second, at.out);
  activate(pass.space, phi_, at.out);
}

void Activate::propagate(Pass const& pass, LayerParameters const&, Place const& at) const {
  multiply_by_derivative(pass.space, phi_, at.out, at.delta_out);
  if (at.delta_in.size() > 0) copy_rows(pass.space, at.delta_out, at.delta_in);
  if (at.delta_second.size() > 0) copy_rows(pass.space, at.delta_out, at.delta_second);
}

}  // namespace minidad
