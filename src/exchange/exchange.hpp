// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "core/state.hpp"
#include "exchange/low_rank_settings.hpp"
#include "nn/backward_walk.hpp"

namespace minidad {

inline constexpr std::array<char const*, 7> exchange_names{"dsgd",     "dad",       "edad", "rank_dad",
                                                           "powersgd", "power_dad", "none"};

struct ExchangeSettings {
  std::string method = "dsgd";   ///< one of exchange_names
  bool deterministic = false;    ///< the same weight bits for any number of ranks ("dad", "edad")
  std::int64_t row_block = 16;   ///< in deterministic mode, rows of the global batch whose products are formed together
  std::int64_t bucket_kib = 32;  ///< "dsgd": layers with smaller gradients share a message with the next layer
  LowRankSettings low_rank{};    ///< "rank_dad", "powersgd", "power_dad"
};

/// How close a layer's gradient came in the last step.
struct Fidelity {
  double width = std::numeric_limits<double>::quiet_NaN();  ///< rows or columns it travelled as; NaN: it is exact
  double error = std::numeric_limits<double>::quiet_NaN();  ///< certified, relative, Frobenius; NaN: nobody asked
};

/// How the ranks turn one backward pass into the gradient of the global batch, the same bits on every rank.
///
/// An exchange drives the walk, so one interface serves methods that send statistics and methods that send gradients.
/// It posts non-blocking collectives as the walk goes and completes them at the end: messages travel while the layers
/// below are computed. To add one: a file pair here, a line in make_exchange and in exchange_names, a test.
class Exchange {
 public:
  virtual ~Exchange() = default;

  /// Collective. The forward pass tells that a layer's input is complete: what need not wait for the walk may leave
  /// now. Called for each layer in turn, before reduce().
  virtual void observe(ExecSpace const&, PhaseClock&, RowLayout const& /*ranks*/, std::size_t /*layer*/,
                       Matrix const& /*input*/) {}

  /// Collective. Visits every layer; on return the gradient given to make_exchange is the sum over the rows of all
  /// ranks. `ranks` tells where each rank's rows stand in the global batch.
  virtual void reduce(BackwardWalk& walk, RowLayout const& ranks) = 0;

  /// One entry a layer for methods that are not exact, none for the others.
  virtual std::vector<Fidelity> fidelity() const { return {}; }

  /// dense (in, out) <- what error feedback keeps of a layer on this rank. False: it keeps nothing, and dense is as it
  /// was.
  virtual bool write_kept(ExecSpace const&, std::size_t /*layer*/, Matrix const& /*dense*/) const { return false; }

  /// Whether every layer's statistics of this rank are on the tape after reduce().
  virtual bool leaves_statistics() const { return true; }

  /// Whether all ranks get the same gradient, and so keep equal parameters. If not, each has a model of its own.
  virtual bool replicates() const { return true; }

  /// What one step leaves to the next, beside the parameters.
  virtual void visit_state(StateVisitor&) {}
};

/// What an exchange will cost, from its closed form (docs/theory): before anything runs.
struct ExchangeForecast {
  std::string method;
  double bytes_per_step = 0;  ///< sent per rank, mean over ranks, in a step with a full batch
  std::size_t memory = 0;     ///< buffers, bytes per rank
  bool replicates = true;     ///< as Exchange::replicates
  bool possible = true;       ///< with this model
};

/// Throws Error(user) where the method cannot do with the layers.
void expect_possible(ExchangeSettings const& settings, std::vector<LayerShape> const& shapes);

/// `gradient` is where the results go; global batches have at most `max_rows` samples; `seed` is of what must be drawn.
/// Throws Error(user) as expect_possible does.
std::unique_ptr<Exchange> make_exchange(ExchangeSettings const& settings, Communicator& comm,
                                        std::vector<LayerShape> const& shapes, std::size_t max_rows,
                                        Parameters const& gradient, std::uint64_t seed);

/// One forecast per method, in the order of exchange_names.
std::vector<ExchangeForecast> forecast_exchanges(ExchangeSettings const& settings,
                                                 std::vector<LayerShape> const& shapes, int ranks, std::size_t rows);

}  // namespace minidad
