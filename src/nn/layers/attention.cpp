// SPDX-License-Identifier: BSD-3-Clause
#include "nn/layers/attention.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/fast_math.hpp"
#include "nn/layers/tile_product.hpp"

namespace minidad {

namespace {

using tile::In;
using tile::Out;

constexpr std::size_t side = on_host ? 64 : 32;          ///< places in a tile
constexpr std::size_t line = on_host ? side : side + 1;  ///< of a tile in scratch: odd on a GPU, against bank conflicts
constexpr std::size_t strip = on_host ? side : 1;        ///< columns of a tile that one work item goes down
constexpr std::size_t most_shared = std::size_t{47} << 10;  ///< bytes a team of any GPU can share

/// The shapes, and where one batch lies.
struct Core {
  std::size_t places, width, heads, head, samples;
  bool causal;
  Real scale;
  Real const* qkv;
  Real *out, *log_sums;  ///< log_sums: (samples, heads, places)
  Real const* delta_out;
  Real *delta_qkv, *dots;  ///< dots: (samples, heads, places)

  KOKKOS_INLINE_FUNCTION std::size_t tiles() const { return (places + side - 1) / side; }
  KOKKOS_INLINE_FUNCTION std::size_t valid(std::size_t begin) const { return math::min(side, places - begin); }
};

/// One tile of one head of one sample, and all of its rows in the values.
struct Item {
  std::size_t begin, rows;
  In q, k, v, delta_out;
  Out out, delta_q, delta_k, delta_v;
  Real *log_sums, *dots;

  KOKKOS_INLINE_FUNCTION Item(Core const& core, std::size_t number) {
    std::size_t const head = number / core.tiles() % core.heads, sample = number / core.tiles() / core.heads;
    begin = number % core.tiles() * side;
    rows = core.valid(begin);
    std::size_t const three = 3 * core.width, at = sample * core.places, col = head * core.head;
    q = {core.qkv + at * three + col, three};
    k = {q.data + core.width, three};
    v = {k.data + core.width, three};
    out = {core.out + at * core.width + col, core.width};
    log_sums = core.log_sums + (sample * core.heads + head) * core.places;
    if (core.delta_qkv == nullptr) return;
    delta_out = {core.delta_out + at * core.width + col, core.width};
    delta_q = {core.delta_qkv + at * three + col, three};
    delta_k = {delta_q.data + core.width, three};
    delta_v = {delta_k.data + core.width, three};
    dots = core.dots + (sample * core.heads + head) * core.places;
  }
};

/// Parts of a team's scratch, one after another.
struct Scratch {
  Real* at;
  KOKKOS_INLINE_FUNCTION Real* take(std::size_t size) {
    auto* const here = at;
    at += size;
    return here;
  }
  /// (side, head), or (head, side) turned, or (side, side) of a tile by another.
  KOKKOS_INLINE_FUNCTION Out rows(std::size_t head) {
    return {take(side * tile::padded_cols(head)), tile::padded_cols(head)};
  }
  KOKKOS_INLINE_FUNCTION Out turned(std::size_t head) { return {take(head * line), line}; }
  KOKKOS_INLINE_FUNCTION Out square() { return {take(side * line), line}; }
};

std::size_t size_of_rows(std::size_t head) { return side * tile::padded_cols(head); }
std::size_t size_turned(std::size_t head) { return head * line; }
constexpr std::size_t size_of_square = side * line;

KOKKOS_INLINE_FUNCTION In read(Out const& x) { return {x.data, x.row, x.col}; }

/// body(core, team, item, scratch) for every tile of every head and sample. Shared memory where it is large enough,
/// else memory of the device.
template <class Body>
void for_each_tile(std::string const& label, ExecSpace const& space, Core const& core, std::size_t scratch) {
  auto const bytes = (scratch + 16) * sizeof(Real);
  int const level = on_host || bytes > most_shared ? 1 : 0;
  auto policy = teams_of(space, core.samples * core.heads * core.tiles(), 128);
  policy.set_scratch_size(level, Kokkos::PerTeam(static_cast<int>(bytes)));
  Kokkos::parallel_for(
      label, policy, KOKKOS_LAMBDA(TeamMember const& team) {
        auto* const memory = static_cast<Real*>(team.team_scratch(level).get_shmem_aligned(scratch * sizeof(Real), 64));
        Body::run(core, team, Item(core, static_cast<std::size_t>(team.league_rank())), Scratch{memory});
      });
}

/// Which part of a line of scores a work item has, [begin, end), and which part of that may be seen, [first, last).
/// Loops with masks go over all of it, for the sake of whole vectors, and clear the rest.
struct Run {
  std::size_t begin, end, first, last;
  KOKKOS_INLINE_FUNCTION void clear(Real* x, Real value) const {
    for (std::size_t i = begin; i < first; ++i) x[i] = value;
    for (std::size_t i = last; i < end; ++i) x[i] = value;
  }
};

/// Queries [begin, begin + length) of a tile that begins `ahead` places after that of the key.
KOKKOS_INLINE_FUNCTION Run queries_of(std::size_t key, bool causal, std::size_t ahead, std::size_t begin,
                                      std::size_t length) {
  std::size_t const end = begin + length, first = causal && key > ahead ? key - ahead : 0;
  return {begin, end, math::min(end, math::max(begin, first)), end};
}
/// Keys [begin, begin + length) of a tile that begins `ahead` places before that of the query.
KOKKOS_INLINE_FUNCTION Run keys_of(std::size_t query, bool causal, std::size_t ahead, std::size_t begin,
                                   std::size_t length) {
  std::size_t const end = begin + length, last = causal ? ahead + query + 1 : end;
  return {begin, end, begin, math::min(end, math::max(begin, last))};
}

/// What is known of each query of a tile after some tiles of keys: the largest score, the sum of exp(score - top), and
/// by how much the latest tile has made shrink what was summed before.
struct Softmax {
  Real *top, *sum, *shrink;
  KOKKOS_INLINE_FUNCTION void begin(TeamMember const& team) const {
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, side), [&](std::size_t i) {
      top[i] = lowest;
      sum[i] = 0;
    });
  }
  static constexpr Real lowest = Real(-1e30);
};

/// scores(key, query) <- exp(score - top), with the top that they lead to.
KOKKOS_INLINE_FUNCTION void update(TeamMember const& team, Softmax const& to, bool causal, std::size_t ahead,
                                   std::size_t keys, Out const& scores) {
  Kokkos::parallel_for(Kokkos::TeamThreadRange(team, side / strip), [&](std::size_t s) {
    auto const begin = s * strip;
    Real top[strip], sum[strip] = {};
    for (std::size_t i = 0; i < strip; ++i) top[i] = to.top[begin + i];
    for (std::size_t key = 0; key < keys; ++key) {
      queries_of(key, causal, ahead, begin, strip).clear(&scores(key, 0), Softmax::lowest);
      Real const* const x = &scores(key, begin);
      for (std::size_t i = 0; i < strip; ++i) top[i] = math::max(top[i], x[i]);
    }
    for (std::size_t key = 0; key < keys; ++key) {
      Real* const x = &scores(key, begin);
      for (std::size_t i = 0; i < strip; ++i) {
        x[i] = fast::exp(x[i] - top[i]);
        sum[i] += x[i];  // with at most 1e-38 of what may not be seen, beside 1 of the top itself
      }
      queries_of(key, causal, ahead, begin, strip).clear(&scores(key, 0), 0);
    }
    for (std::size_t i = 0; i < strip; ++i) {
      Real const shrink = fast::exp(to.top[begin + i] - top[i]);
      to.shrink[begin + i] = shrink;
      to.sum[begin + i] = to.sum[begin + i] * shrink + sum[i];
      to.top[begin + i] = top[i];
    }
  });
}

/// out <- softmax(q kᵀ) v of a tile of queries.
struct Forward {
  static std::size_t scratch(std::size_t head) {
    return size_turned(head) + 2 * size_of_rows(head) + size_of_square + 3 * side;
  }
  KOKKOS_INLINE_FUNCTION static void run(Core const& core, TeamMember const& team, Item const& at, Scratch scratch) {
    auto const head = core.head;
    Out const q = scratch.turned(head), scores = scratch.square(), k = scratch.rows(head), v = scratch.rows(head);
    Softmax const softmax{scratch.take(side), scratch.take(side), scratch.take(side)};
    tile::load_turned(team, at.q.from(at.begin, 0), at.rows, head, side, core.scale, q);
    softmax.begin(team);
    auto const out = at.out.from(at.begin, 0);
    auto const end = core.causal ? at.begin + at.rows : core.places;
    for (std::size_t key = 0; key < end; key += side) {
      auto const keys = core.valid(key);
      team.team_barrier();
      tile::load(team, at.k.from(key, 0), keys, head, 1, k);
      tile::load(team, at.v.from(key, 0), keys, head, 1, v);
      team.team_barrier();
      tile::multiply(team, {keys, side, head}, read(k), read(q), scores);
      team.team_barrier();
      update(team, softmax, core.causal, at.begin - key, keys, scores);
      team.team_barrier();
      tile::multiply(team, {at.rows, head, keys, key > 0, softmax.shrink}, read(scores.turned()), read(v), out);
    }
    team.team_barrier();
    finish(core, team, at, softmax, out);
  }
  KOKKOS_INLINE_FUNCTION static void finish(Core const& core, TeamMember const& team, Item const& at,
                                            Softmax const& softmax, Out const& out) {
    std::size_t const run = on_host ? core.head : 1, runs = on_host ? 1 : core.head;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, at.rows * runs), [&](std::size_t item) {
      std::size_t const row = item / runs, begin = item % runs;
      Real const factor = 1 / softmax.sum[row];
      for (std::size_t col = begin; col < begin + run; ++col) out(row, col) *= factor;
      if (begin == 0) at.log_sums[at.begin + row] = softmax.top[row] + math::log(softmax.sum[row]);
    });
  }
};

/// p <- exp(score - log sum exp), a score being at most that, and dp <- p .* (dp - dot), where dp = dL/dp.
KOKKOS_INLINE_FUNCTION void differentiate(Real log_sum, Real dot, Real& p, Real& dp) {
  p = fast::exp(math::min(p - log_sum, Real(0)));
  dp = p * (dp - dot);
}

/// delta_q <- dS k / sqrt(d) of a tile of queries, where dS = P .* (delta_out vᵀ - rows of (delta_out .* out) summed).
struct QueryDelta {
  static std::size_t scratch(std::size_t head) {
    return 2 * size_turned(head) + 2 * size_of_rows(head) + 2 * size_of_square + 2 * side;
  }
  KOKKOS_INLINE_FUNCTION static void run(Core const& core, TeamMember const& team, Item const& at, Scratch scratch) {
    auto const head = core.head;
    Out const q = scratch.turned(head), d = scratch.turned(head), p = scratch.square(), dp = scratch.square();
    Out const k = scratch.rows(head), v = scratch.rows(head);
    Real *const log_sums = scratch.take(side), *const dots = scratch.take(side);
    tile::load_turned(team, at.q.from(at.begin, 0), at.rows, head, side, core.scale, q);
    tile::load_turned(team, at.delta_out.from(at.begin, 0), at.rows, head, side, 1, d);
    form_dots(core, team, at, d, k, log_sums, dots);
    auto const delta_q = at.delta_q.from(at.begin, 0);
    auto const end = core.causal ? at.begin + at.rows : core.places;
    for (std::size_t key = 0; key < end; key += side) {
      auto const keys = core.valid(key);
      team.team_barrier();
      tile::load(team, at.k.from(key, 0), keys, head, 1, k);
      tile::load(team, at.v.from(key, 0), keys, head, 1, v);
      team.team_barrier();
      tile::multiply(team, {keys, side, head}, read(k), read(q), p);
      tile::multiply(team, {keys, side, head}, read(v), read(d), dp);
      team.team_barrier();
      std::size_t const run = on_host ? side : 1, runs = on_host ? 1 : side;
      Kokkos::parallel_for(Kokkos::TeamThreadRange(team, keys * runs), [&](std::size_t item) {
        auto const here = queries_of(item / runs, core.causal, at.begin - key, item % runs, run);
        Real *const x = &p(item / runs, 0), *const y = &dp(item / runs, 0);
        for (std::size_t i = here.begin; i < here.end; ++i) differentiate(log_sums[i], dots[i], x[i], y[i]);
        here.clear(y, 0);
      });
      team.team_barrier();
      tile::multiply(team, {at.rows, head, keys, key > 0}, read(dp.turned()), read(k), delta_q);
    }
    team.team_barrier();
    scale_rows(core, team, at.rows, delta_q);
  }
  /// d: delta_out, turned. On a GPU out goes through `room`, so that neighbours read neighbours.
  KOKKOS_INLINE_FUNCTION static void form_dots(Core const& core, TeamMember const& team, Item const& at, Out const& d,
                                               Out const& room, Real* log_sums, Real* dots) {
    if (!on_host) {
      tile::load(team, read(at.out.from(at.begin, 0)), at.rows, core.head, 1, room);
      team.team_barrier();
    }
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, side), [&](std::size_t i) {
      log_sums[i] = 0;
      dots[i] = 0;
      if (i >= at.rows) return;
      Real const *x = &at.out(at.begin + i, 0), *y = &at.delta_out(at.begin + i, 0);
      log_sums[i] = at.log_sums[at.begin + i];
      dots[i] = sum_along(team, core.head,
                          [&](std::size_t col) { return on_host ? x[col] * y[col] : room(i, col) * d(col, i); });
      at.dots[at.begin + i] = dots[i];
    });
  }
  KOKKOS_INLINE_FUNCTION static void scale_rows(Core const& core, TeamMember const& team, std::size_t rows,
                                                Out const& x) {
    std::size_t const run = on_host ? core.head : 1, runs = on_host ? 1 : core.head;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, rows * runs), [&](std::size_t item) {
      std::size_t const row = item / runs, begin = item % runs;
      for (std::size_t col = begin; col < begin + run; ++col) x(row, col) *= core.scale;
    });
  }
};

/// delta_v <- Pᵀ delta_out and delta_k <- dSᵀ q / sqrt(d) of a tile of keys.
struct KeyDelta {
  static std::size_t scratch(std::size_t head) {
    return 2 * size_turned(head) + 2 * size_of_rows(head) + 2 * size_of_square;
  }
  KOKKOS_INLINE_FUNCTION static void run(Core const& core, TeamMember const& team, Item const& at, Scratch scratch) {
    auto const head = core.head;
    Out const k = scratch.turned(head), v = scratch.turned(head), p = scratch.square(), dp = scratch.square();
    Out const q = scratch.rows(head), d = scratch.rows(head);
    tile::load_turned(team, at.k.from(at.begin, 0), at.rows, head, side, 1, k);
    tile::load_turned(team, at.v.from(at.begin, 0), at.rows, head, side, 1, v);
    auto const delta_k = at.delta_k.from(at.begin, 0), delta_v = at.delta_v.from(at.begin, 0);
    auto const start = core.causal ? at.begin : std::size_t{0};
    for (std::size_t query = start; query < core.places; query += side) {
      auto const queries = core.valid(query);
      team.team_barrier();
      tile::load(team, at.q.from(query, 0), queries, head, core.scale, q);
      tile::load(team, at.delta_out.from(query, 0), queries, head, 1, d);
      team.team_barrier();
      tile::multiply(team, {queries, side, head}, read(q), read(k), p);
      tile::multiply(team, {queries, side, head}, read(d), read(v), dp);
      team.team_barrier();
      std::size_t const run = on_host ? side : 1, runs = on_host ? 1 : side;
      Kokkos::parallel_for(Kokkos::TeamThreadRange(team, queries * runs), [&](std::size_t item) {
        std::size_t const row = item / runs;
        auto const here = keys_of(row, core.causal, query - at.begin, item % runs, run);
        Real const log_sum = at.log_sums[query + row], dot = at.dots[query + row];
        Real *const x = &p(row, 0), *const y = &dp(row, 0);
        for (std::size_t i = here.begin; i < here.end; ++i) differentiate(log_sum, dot, x[i], y[i]);
        here.clear(x, 0);
        here.clear(y, 0);
      });
      team.team_barrier();
      tile::multiply(team, {at.rows, head, queries, query > start}, read(p.turned()), read(d), delta_v);
      tile::multiply(team, {at.rows, head, queries, query > start}, read(dp.turned()), read(q), delta_k);
    }
  }
};

}  // namespace

Attention::Attention(SampleShape const& in, Heads const& heads)
    : Layer(in, {in.height, in.width, in.channels / 3}), heads_(heads) {}

std::string Attention::describe() const {
  return fmt::format("attention heads={}{}", heads_.count, heads_.causal ? " causal" : "");
}

LayerMemory Attention::memory() const {
  auto const rows = heads_.count * in().places();
  return {.keeps_input = true, .keeps_output = true, .kept = rows, .scratch = rows};
}

namespace {

Core core_of(Heads const& heads, SampleShape const& out, Place const& at) {
  auto const head = out.channels / heads.count;
  return {.places = out.places(),
          .width = out.channels,
          .heads = heads.count,
          .head = head,
          .samples = at.out.extent(0) / out.places(),
          .causal = heads.causal,
          .scale = static_cast<Real>(1 / std::sqrt(static_cast<double>(head))),
          .qkv = at.in.data(),
          .out = at.out.data(),
          .log_sums = at.kept.data(),
          .delta_out = at.delta_out.data(),
          .delta_qkv = at.delta_in.data(),
          .dots = at.scratch.data()};
}

}  // namespace

void Attention::forward(Pass const& pass, LayerParameters const&, Place const& at) const {
  auto const core = core_of(heads_, out(), at);
  for_each_tile<Forward>("minidad::nn::attention", pass.space, core, Forward::scratch(core.head));
}

void Attention::propagate(Pass const& pass, LayerParameters const&, Place const& at) const {
  auto const core = core_of(heads_, out(), at);
  for_each_tile<QueryDelta>("minidad::nn::attention_query_delta", pass.space, core, QueryDelta::scratch(core.head));
  for_each_tile<KeyDelta>("minidad::nn::attention_key_delta", pass.space, core, KeyDelta::scratch(core.head));
}

}  // namespace minidad
