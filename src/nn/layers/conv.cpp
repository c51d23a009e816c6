// SPDX-License-Identifier: BSD-3-Clause
#include "nn/layers/conv.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/fill.hpp"
#include "core/for_each_element.hpp"
#include "linalg/gemm.hpp"
#include "linalg/rows.hpp"
#include "nn/layers/dense.hpp"

namespace minidad {

namespace {

/// f(begin, end) for runs of at most `chunk` samples.
template <class F>
void for_each_chunk(std::size_t samples, std::size_t chunk, F const& f) {
  for (std::size_t begin = 0; begin < samples; begin += chunk) f(begin, std::min(samples, begin + chunk));
}

/// The values of whole samples, a row each, from the matrix with a row per place.
Matrix sample_rows(Matrix const& values, SampleShape const& shape) {
  return Matrix(values.data(), values.size() / shape.size(), shape.size());
}

}  // namespace

Conv::Conv(SampleShape const& in, std::size_t filters, Window const& window, Activation phi, bool bias)
    : Layer(in, window.places(in, filters)), window_(window), phi_(phi), bias_(bias) {}

std::string Conv::describe() const {
  auto const option = [](char const* key, std::size_t value, std::size_t usual) {
    return value == usual ? "" : fmt::format(" {}={}", key, value);
  };
  return fmt::format("conv {} kernel={}{}{}{}{}", out().channels, window_.kernel, option("stride", window_.stride, 1),
                     option("pad", window_.pad, 0), bias_ ? "" : " nobias",
                     phi_ == Activation::identity ? "" : fmt::format(" {}", name(phi_)));
}

LayerShape Conv::shape() const {
  auto const size = window_.size(in()), filters = out().channels;
  return {.name = "conv",
          .in = size,
          .out = filters,
          .rows = out().places(),
          .wire = {1, in().size(), out().size()},
          .weights = {{"weight", 0, 0, size, filters}},
          .rest_name = bias_ ? "bias" : "",
          .rest = bias_ ? filters : 0};
}

std::size_t Conv::chunk() const {
  auto const bytes = (patches_of(1) + out().size()) * sizeof(Real);
  auto const room =
      on_host ? (std::size_t{1} << 20) * static_cast<std::size_t>(ExecSpace().concurrency()) : std::size_t{1} << 26;
  return std::max(std::size_t{1}, room / bytes);
}

std::size_t Conv::workspace(std::size_t) const { return patches_of(chunk()) + chunk() * out().size(); }

void Conv::initialise(ExecSpace const& space, std::uint64_t seed, std::uint32_t index,
                      LayerParameters const& to) const {
  auto const area = window_.kernel * window_.kernel;
  fill_uniform(space, seed, index, 0, weight_bound(phi_, area * in().channels, area * out().channels), to.weight());
  if (bias_) fill(space, to.bias(), 0);
}

void Conv::forward(Pass const& pass, LayerParameters const& p, Place const& at) const {
  auto const places = out().places();
  auto const images = sample_rows(at.in, in());
  for_each_chunk(images.extent(0), chunk(), [&](std::size_t begin, std::size_t end) {
    Matrix const patches(at.workspace.data(), (end - begin) * places, window_.size(in()));
    auto const to = rows_of(at.out, begin * places, end * places);
    unfold(pass.space, window_, in(), rows_of(images, begin, end), patches);
    gemm(pass.space, Op::none, Op::none, 1, patches, p.weight(), 0, to);
    if (bias_)
      add_bias_and_activate(pass.space, phi_, p.bias(), to);
    else
      activate(pass.space, phi_, to);
  });
}

void Conv::differentiate(Pass const& pass, LayerParameters const&, Place const& at) const {
  multiply_by_derivative(pass.space, phi_, at.out, at.delta_out);
}

void Conv::propagate(Pass const& pass, LayerParameters const& p, Place const& at) const {
  auto const places = out().places();
  auto const images = sample_rows(at.delta_in, in());
  for_each_chunk(images.extent(0), chunk(), [&](std::size_t begin, std::size_t end) {
    Matrix const patches(at.workspace.data(), (end - begin) * places, window_.size(in()));
    gemm(pass.space, Op::none, Op::transpose, 1, rows_of(at.delta_out, begin * places, end * places), p.weight(), 0,
         patches);
    fold(pass.space, window_, in(), patches, rows_of(images, begin, end));
  });
}

void Conv::form_gradient(ExecSpace const& space, LayerStats const& wire, Vector const& workspace,
                         LayerParameters const& sum) const {
  auto const places = out().places(), filters = out().channels, samples = wire.input.extent(0);
  if (samples == 0) fill(space, sum.weight(), 0);
  for_each_chunk(samples, chunk(), [&](std::size_t begin, std::size_t end) {
    Matrix const patches(workspace.data(), (end - begin) * places, window_.size(in()));
    unfold(space, window_, in(), rows_of(wire.input, begin, end), patches);
    // Gathered deltas stand beside other columns: they are brought together.
    auto delta = rows_of(wire.delta, begin, end);
    if (delta.stride(0) != out().size()) {
      Matrix const copy(patches.data() + patches.size(), end - begin, out().size());
      copy_rows(space, delta, copy);
      delta = copy;
    }
    gemm(space, Op::transpose, Op::none, 1, patches, Matrix(delta.data(), (end - begin) * places, filters),
         begin == 0 ? 0 : 1, sum.weight());
  });
  if (sum.rest.extent(0) > 0) form_bias(space, wire.delta, workspace, sum.rest);
}

void Conv::form_rest(Pass const& pass, LayerParameters const&, Place const& at, Vector const& rest) const {
  form_bias(pass.space, sample_rows(at.delta, out()), at.workspace, rest);
}

void Conv::form_bias(ExecSpace const& space, Matrix const& delta, Vector const& workspace, Vector const& bias) const {
  Vector const of_places(workspace.data(), out().size());
  column_sums(space, delta, of_places);
  column_sums(space, Matrix(of_places.data(), out().places(), out().channels), bias);
}

void Conv::expand(ExecSpace const& space, Matrix const& wire_input, Matrix const& input) const {
  unfold(space, window_, in(), wire_input, input);
}

}  // namespace minidad
