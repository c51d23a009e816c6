// SPDX-License-Identifier: BSD-3-Clause
#include "exchange/exchange.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "exchange/dad.hpp"
#include "exchange/delayed.hpp"
#include "exchange/dsgd.hpp"
#include "exchange/edad.hpp"
#include "exchange/none.hpp"
#include "exchange/power.hpp"
#include "exchange/rank_dad.hpp"

namespace minidad {

namespace {

std::unique_ptr<Exchange> make_low_rank(ExchangeSettings const& settings, Communicator& comm,
                                        std::vector<LayerShape> const& shapes, std::size_t max_rows,
                                        Parameters const& gradient, std::uint64_t seed) {
  auto const& low_rank = settings.low_rank;
  if (settings.method == "rank_dad") return std::make_unique<RankDad>(comm, shapes, max_rows, low_rank, seed, gradient);
  return std::make_unique<Power>(settings.method, comm, shapes, max_rows, low_rank, seed, gradient);
}

bool is_low_rank(std::string const& method) {
  return method == "rank_dad" || method == "powersgd" || method == "power_dad";
}

}  // namespace

void expect_possible(ExchangeSettings const& settings, std::vector<LayerShape> const& shapes) {
  if (settings.method == "edad") Edad::expect_dense_chain(shapes, "exchange.method = \"edad\"");
  if (settings.deterministic) Edad::expect_dense_chain(shapes, "exchange.deterministic");
}

std::unique_ptr<Exchange> make_exchange(ExchangeSettings const& settings, Communicator& comm,
                                        std::vector<LayerShape> const& shapes, std::size_t max_rows,
                                        Parameters const& gradient, std::uint64_t seed) {
  expect_possible(settings, shapes);
  auto const bucket = static_cast<std::size_t>(settings.bucket_kib) * 1024;
  if (is_low_rank(settings.method)) {
    auto exchange = make_low_rank(settings, comm, shapes, max_rows, gradient, seed);
    auto const start = settings.low_rank.start_step;
    if (start == 0) return exchange;
    return std::make_unique<Delayed>(Dsgd(comm, shapes, bucket, gradient), std::move(exchange), start);
  }
  if (settings.method == "dsgd") return std::make_unique<Dsgd>(comm, shapes, bucket, gradient);
  if (settings.method == "dad") return std::make_unique<Dad>(comm, shapes, max_rows, gradient);
  if (settings.method == "edad") return std::make_unique<Edad>(comm, shapes, max_rows, gradient);
  if (settings.method == "none") return std::make_unique<None>(comm, gradient);
  refuse(
      fmt::format("exchange.method '{}' is unknown; there are {}", settings.method, fmt::join(exchange_names, ", ")));
}

std::vector<ExchangeForecast> forecast_exchanges(ExchangeSettings const& settings,
                                                 std::vector<LayerShape> const& shapes, int ranks, std::size_t rows) {
  auto const& low_rank = settings.low_rank;
  return {Dsgd::forecast(shapes, ranks),
          Dad::forecast(shapes, ranks, rows),
          Edad::forecast(shapes, ranks, rows),
          RankDad::forecast(shapes, ranks, rows, low_rank),
          Power::forecast("powersgd", shapes, ranks, rows, low_rank),
          Power::forecast("power_dad", shapes, ranks, rows, low_rank),
          None::forecast()};
}

}  // namespace minidad
