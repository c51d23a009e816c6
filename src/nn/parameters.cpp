// SPDX-License-Identifier: BSD-3-Clause
#include "nn/parameters.hpp"

#include <cmath>

#include "core/fill.hpp"
#include "core/random.hpp"

namespace minidad {

namespace {

void fill_uniform(ExecSpace const& space, std::uint64_t seed, std::uint32_t layer, double bound, Matrix const& weight) {
  Vector const flat(weight.data(), weight.size());
  Kokkos::parallel_for(
      "minidad::nn::fill_uniform", Kokkos::RangePolicy<ExecSpace>(space, 0, flat.extent(0)),
      KOKKOS_LAMBDA(std::size_t i) {
        Words4 const words = philox(seed, Stream::weights, layer, i);
        flat(i) = static_cast<Real>(bound * (2 * uniform(words.x[0]) - 1));
      });
}

}  // namespace

Parameters::Parameters(std::string const& label, std::vector<LayerShape> const& shapes) {
  std::size_t size = 0;
  for (auto const& shape : shapes) size += shape.size();
  flat = Vector("minidad::nn::" + label, size);
  Real* next = flat.data();
  for (auto const& [in, out, activation] : shapes) {
    layer.push_back({Matrix(next, in, out), Vector(next + in * out, out), Vector(next, in * out + out)});
    next += in * out + out;
  }
}

void initialise(ExecSpace const& space, std::vector<LayerShape> const& shapes, std::uint64_t seed,
                Parameters const& parameters) {
  for (std::size_t l = 0; l < shapes.size(); ++l) {
    auto const in = static_cast<double>(shapes[l].in), out = static_cast<double>(shapes[l].out);
    auto const phi = shapes[l].activation;
    bool const half_off = phi == Activation::relu || phi == Activation::leaky_relu || phi == Activation::elu;
    double const bound = std::sqrt(6.0 / (half_off ? in : in + out));
    fill_uniform(space, seed, static_cast<std::uint32_t>(l), bound, parameters.layer[l].weight);
    fill(space, parameters.layer[l].bias, 0);
  }
}

}  // namespace minidad
