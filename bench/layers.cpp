// SPDX-License-Identifier: BSD-3-Clause
// Forward and backward of single layers and blocks (dL/d(input) and the gradients of all parameters included) against
// the sum of their own matrix products, all measured in turns in one process, and against their flops at the rate of a
// large product. Then each step of the case by itself: GFLOP/s where it has products, else the bandwidth of reading and
// writing its values once, beside the machine's.
// Usage: bench_layers [batch, 0: that of the case] [rounds] [part of a case's name]; OMP_NUM_THREADS=1 for one core.

#include <fmt/format.h>

#include "linalg/gemm.hpp"
#include "nn/backward_walk.hpp"
#include "nn/layer_list.hpp"
#include "timing.hpp"

namespace minidad::bench {

/// C (m, n) = A B with inner dimension k, `times` times; the layer does each once forward and, with the same flops,
/// twice backward.
struct Product {
  std::size_t m, n, k, times = 1;
  double flops() const { return 2.0 * static_cast<double>(m * n * k * times); }
};

struct Case {
  std::string name;
  std::vector<std::string> lines;
  ModelEnds ends;  // classes and labels: the channels and places of the output
  std::size_t batch;
  std::vector<Product> products;
};

/// Blocks as in GPT-2, of 4 heads, 128 tokens and width 256; and what stands below them.
void add_transformers(std::size_t batch, std::vector<Case>& list) {
  std::size_t const samples = batch > 0 ? batch : 8, tokens = 128, width = 256, heads = 4, rows = samples * tokens;
  for (bool const causal : {false, true}) {
    // What each place may see of others is about half of it if it is causal; so is the work.
    std::size_t const times = samples * heads / (causal ? 2 : 1), head = width / heads;
    list.push_back(
        {causal ? "causal transformer block" : "transformer block",
         {"residual", "layernorm", causal ? "attention heads=4 causal" : "attention heads=4", "end", "residual",
          "layernorm", "dense 1024", "gelu", "dense 256", "end"},
         {.input = {.height = tokens, .channels = width}, .classes = width, .labels = tokens, .input_delta = true},
         samples,
         {{rows, 3 * width, width},
          {tokens, tokens, head, times},
          {tokens, head, tokens, times},
          {rows, width, width},
          {rows, 4 * width, width},
          {rows, width, 4 * width}}});
  }
  list.push_back({"transformer input",
                  {"embedding 256 vocabulary=65", "positions", "dropout 0.1", "layernorm", "dense 65"},
                  {.input = {.height = tokens, .channels = 1}, .classes = 65, .labels = tokens},
                  samples,
                  {{rows, 65, width}}});
}

/// A convolution of 32 to 64 channels, 3 × 3, on 14 × 14 pixels; and what stands around it.
void add_convolutions(std::size_t batch, std::vector<Case>& list) {
  std::size_t const samples = batch > 0 ? batch : 64, side = 14, in = 32, out = 64, places = side * side;
  SampleShape const image{.height = side, .width = side, .channels = in};
  list.push_back({"convolution",
                  {"conv 64 kernel=3 pad=1 relu"},
                  {.input = image, .classes = out, .labels = places, .input_delta = true},
                  samples,
                  {{samples * places, out, 9 * in}}});
  list.push_back({"convolution, norm and pools",
                  {"conv 64 kernel=3 pad=1 nobias", "groupnorm groups=8", "relu", "maxpool 2", "avgpool"},
                  {.input = image, .classes = out, .input_delta = true},
                  samples,
                  {{samples * places, out, 9 * in}}});
}

/// Of width 256 on 28 steps of 256 channels.
void add_recurrences(std::size_t batch, std::vector<Case>& list) {
  std::size_t const samples = batch > 0 ? batch : 64, steps = 28, width = 256;
  for (auto const& [name, gates] : {std::pair{"gru", std::size_t{3}}, std::pair{"lstm", std::size_t{4}}})
    list.push_back(
        {name,
         {fmt::format("{} {}", name, width)},
         {.input = {.height = steps, .channels = width}, .classes = width, .labels = steps, .input_delta = true},
         samples,
         {{samples * steps, gates * width, width}, {samples, gates * width, width, steps}}});
}

std::vector<Case> cases(std::size_t batch) {
  auto const b = [&](std::size_t own) { return batch > 0 ? batch : own; };
  std::vector<Case> list;
  list.push_back({"dense 1024 on 784",
                  {"dense 1024 relu"},
                  {.input = {.channels = 784}, .classes = 1024, .input_delta = true},
                  b(64),
                  {{b(64), 1024, 784}}});
  add_convolutions(batch, list);
  add_recurrences(batch, list);
  add_transformers(batch, list);
  return list;
}

/// The products of a case, forward and backward, on memory of their own.
class OwnProducts {
 public:
  explicit OwnProducts(std::vector<Product> products) : products_(std::move(products)) {
    std::size_t a = 0, w = 0, c = 0;
    for (auto const& p : products_) {
      a = std::max(a, p.m * p.k * p.times);
      w = std::max(w, p.k * p.n);
      c = std::max(c, p.m * p.n * p.times);
    }
    a_ = Vector("minidad::bench::a", a), w_ = Vector("minidad::bench::w", 2 * w), c_ = Vector("minidad::bench::c", c);
    Kokkos::deep_copy(a_, Real(0.1));
    Kokkos::deep_copy(w_, Real(0.1));
    Kokkos::deep_copy(c_, Real(0.1));
  }
  void run() const {
    for (auto const& [m, n, k, times] : products_)
      for (std::size_t t = 0; t < times; ++t) {
        Matrix const a(a_.data() + t * m * k, m, k), c(c_.data() + t * m * n, m, n), w(w_.data(), k, n);
        Matrix const g(w_.data() + w_.extent(0) / 2, k, n);
        gemm(space_, Op::none, Op::none, 1, a, w, 0, c);
        gemm(space_, Op::transpose, Op::none, 1, a, c, 0, g);
        gemm(space_, Op::none, Op::transpose, 1, c, w, 0, a);
      }
    fence(space_, "minidad::bench::products");
  }
  double flops() const {
    double sum = 0;
    for (auto const& p : products_) sum += 3 * p.flops();
    return sum;
  }

 private:
  ExecSpace space_;
  std::vector<Product> products_;
  Vector a_, w_, c_;
};

/// One network on fixed values.
class Subject {
 public:
  /// Values from 0 to 1, or ids to 63 where they are embedded.
  explicit Subject(Case const& c)
      : network_(build_model(c.lines, c.ends, c.name), 1, space_),
        memory_(network_.model(), c.batch),
        tape_(memory_.tape({{0, c.batch}})),
        pass_{.space = space_, .blocks = tape_.blocks, .training = true},
        gradient_("gradient", network_.shapes()) {
    Real const unit = c.lines.front().starts_with("embedding") ? Real(1) : Real(1) / 64;
    auto const host = Kokkos::create_mirror_view(tape_.input);
    for (std::size_t r = 0; r < host.extent(0); ++r)
      for (std::size_t i = 0; i < host.extent(1); ++i) host(r, i) = static_cast<Real>((37 * r + 11 * i) % 64) * unit;
    Kokkos::deep_copy(tape_.input, host);
  }

  void run() {
    network_.forward(pass_, tape_);
    // The loss would write it; each pass may change it.
    Kokkos::deep_copy(space_, tape_.output_delta, Real(1e-3));
    BackwardWalk walk(pass_, clock_, network_, tape_);
    while (walk.next()) {
      walk.form_gradient(gradient_.layer[walk.layer()]);
      walk.propagate();
    }
    fence(space_, "minidad::bench::subject");
  }

  void report_steps(int rounds, double bandwidth, double flop_rate) {
    fmt::print("  {:<34} {:>10} {:>10} {:>12} {:>12}\n", "step", "forward", "backward", "forward", "of machine");
    for (std::size_t s = 0; s < network_.steps().size(); ++s) {
      auto const& layer = *network_.steps()[s].layer;
      auto const& at = tape_.place[s];
      auto const& p = network_.parameters_of(s);
      auto const shape = layer.shape();
      std::vector<double> forward, backward;
      for (int round = 0; round < rounds; ++round) {
        forward.push_back(seconds([&] {
          network_.forward_step(pass_, tape_, s);
          fence(space_, "minidad::bench::forward");
        }));
        backward.push_back(seconds([&] {
          layer.differentiate(pass_, p, at);
          if (shape.has_product())
            layer.form_gradient(space_, tape_.stats[*network_.steps()[s].parameters], at.workspace,
                                gradient_.layer[*network_.steps()[s].parameters]);
          else if (shape.size() > 0)
            layer.form_rest(pass_, p, at, gradient_.layer[*network_.steps()[s].parameters].rest);
          if (at.delta_in.size() + at.delta_second.size() > 0) layer.propagate(pass_, p, at);
          fence(space_, "minidad::bench::backward");
        }));
      }
      double const t = median(forward);
      bool const looks_up = layer.describe().starts_with("embedding");  // instead of multiplying
      double const flops = looks_up ? 0 : 2.0 * static_cast<double>(tape_.samples() * shape.rows * shape.weight_size());
      double const bytes = static_cast<double>((at.in.size() + at.second.size() + at.out.size()) * sizeof(Real));
      double const rate = flops > 0 ? flops / t : bytes / t;
      fmt::print("  {:<34} {:>7.3f} ms {:>7.3f} ms {:>6.1f} {:<7} {:>8.0f} %\n", layer.describe(), 1e3 * t,
                 1e3 * median(backward), rate * 1e-9, flops > 0 ? "GFLOP/s" : "GB/s",
                 100 * rate / (flops > 0 ? flop_rate : bandwidth));
    }
  }

 private:
  ExecSpace space_;
  Network network_;
  TapeMemory memory_;
  Tape tape_;
  Pass pass_;
  PhaseClock clock_;
  Parameters gradient_;
};

void report(Communicator&, Arguments const& arguments) {
  Copy const copy;
  OwnProducts const large({{1024, 1024, 1024}});
  std::vector<double> copies, products;
  for (int round = 0; round < 8; ++round) {
    copies.push_back(seconds([&] { copy.run(); }));
    products.push_back(seconds([&] { large.run(); }));
  }
  double const bandwidth = copy.bytes() / median(copies), flop_rate = large.flops() / median(products);
  fmt::print("{} thread(s), median of {} rounds; the machine: copies {:.1f} GB/s, products of 1024³ {:.1f} GFLOP/s\n",
             ExecSpace().concurrency(), arguments.rounds, bandwidth * 1e-9, flop_rate * 1e-9);
  for (auto const& c : cases(arguments.batch)) {
    if (c.name.find(arguments.only) == std::string::npos) continue;
    Subject subject(c);
    OwnProducts const own(c.products);
    std::vector<double> whole, alone;
    for (int round = -3; round < arguments.rounds; ++round) {  // three rounds to warm up
      double const t_whole = seconds([&] { subject.run(); }), t_alone = seconds([&] { own.run(); });
      if (round < 0) continue;
      whole.push_back(t_whole);
      alone.push_back(t_alone);
    }
    fmt::print(
        "{}, batch {}: forward and backward {:.2f} ms, its products {:.2f} ms ({:.1f} GFLOP/s), ratio {:.2f}, "
        "to the machine's rate {:.2f}\n",
        c.name, c.batch, 1e3 * median(whole), 1e3 * median(alone), own.flops() / median(alone) * 1e-9,
        median(whole) / median(alone), median(whole) * flop_rate / own.flops());
    subject.report_steps(arguments.rounds, bandwidth, flop_rate);
  }
}

}  // namespace minidad::bench

int main(int argc, char** argv) {
  return minidad::bench::run_bench(argc, argv, {.batch = 0, .rounds = 20}, minidad::bench::report);
}
