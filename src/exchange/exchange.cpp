// SPDX-License-Identifier: BSD-3-Clause
#include "exchange/exchange.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "exchange/dad.hpp"
#include "exchange/dsgd.hpp"
#include "exchange/edad.hpp"

namespace minidad {

std::unique_ptr<Exchange> make_exchange(ExchangeSettings const& settings, Communicator& comm,
                                        std::vector<LayerShape> const& shapes, std::size_t max_rows,
                                        Parameters const& gradient) {
  if (settings.method == "dsgd")
    return std::make_unique<Dsgd>(comm, shapes, static_cast<std::size_t>(settings.bucket_kib) * 1024, gradient);
  if (settings.method == "dad") return std::make_unique<Dad>(comm, shapes, max_rows, gradient);
  if (settings.method == "edad") return std::make_unique<Edad>(comm, shapes, max_rows, gradient);
  refuse(
      fmt::format("exchange.method '{}' is unknown; there are {}", settings.method, fmt::join(exchange_names, ", ")));
}

std::vector<ExchangeForecast> forecast_exchanges(std::vector<LayerShape> const& shapes, int ranks, std::size_t rows) {
  return {Dsgd::forecast(shapes, ranks), Dad::forecast(shapes, ranks, rows), Edad::forecast(shapes, ranks, rows)};
}

}  // namespace minidad
