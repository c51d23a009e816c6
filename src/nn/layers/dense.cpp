// SPDX-License-Identifier: BSD-3-Clause
#include "nn/layers/dense.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/fill.hpp"
#include "linalg/gemm.hpp"

namespace minidad {

double weight_bound(Activation phi, std::size_t fan_in, std::size_t fan_out) {
  bool const half_off = phi == Activation::relu || phi == Activation::leaky_relu || phi == Activation::elu;
  return std::sqrt(6.0 / static_cast<double>(half_off ? fan_in : fan_in + fan_out));
}

Dense::Dense(SampleShape const& in, std::size_t out, Activation phi, std::string of)
    : Layer(in, {in.height, in.width, out}), phi_(phi), of_(std::move(of)) {}

std::string Dense::describe() const {
  return fmt::format("dense {}{}{}", out().channels, phi_ == Activation::identity ? "" : fmt::format(" {}", name(phi_)),
                     of_.empty() ? "" : fmt::format(" ({})", of_));
}

LayerShape Dense::shape() const {
  auto const rows = in().places(), width = in().channels, outputs = out().channels;
  return {.name = of_.empty() ? "dense" : of_,
          .in = width,
          .out = outputs,
          .rows = rows,
          .wire = {rows, width, outputs},
          .weights = {{"weight", 0, 0, width, outputs}},
          .rest_name = "bias",
          .rest = outputs,
          .dense = rows == 1};
}

void Dense::initialise(ExecSpace const& space, std::uint64_t seed, std::uint32_t index,
                       LayerParameters const& to) const {
  fill_uniform(space, seed, index, 0, weight_bound(phi_, in().channels, out().channels), to.weight());
  fill(space, to.bias(), 0);
}

void Dense::forward(Pass const& pass, LayerParameters const& p, Place const& at) const {
  if (in().places() == 1)
    row_block_product(pass.space, pass.blocks, at.in, Op::none, p.weight(), at.out);
  else
    gemm(pass.space, Op::none, Op::none, 1, at.in, p.weight(), 0, at.out);
  add_bias_and_activate(pass.space, phi_, p.bias(), at.out);
}

void Dense::differentiate(Pass const& pass, LayerParameters const&, Place const& at) const {
  multiply_by_derivative(pass.space, phi_, at.out, at.delta_out);
}

void Dense::propagate(Pass const& pass, LayerParameters const& p, Place const& at) const {
  if (in().places() == 1)
    row_block_product(pass.space, pass.blocks, at.delta_out, Op::transpose, p.weight(), at.delta_in);
  else
    gemm(pass.space, Op::none, Op::transpose, 1, at.delta_out, p.weight(), 0, at.delta_in);
}

}  // namespace minidad
