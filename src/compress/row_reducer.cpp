// SPDX-License-Identifier: BSD-3-Clause
#include "compress/row_reducer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compress/author_reducer.hpp"
#include "compress/block_reducer.hpp"
#include "compress/exact_reducers.hpp"
#include "core/error.hpp"

namespace minidad {

std::unique_ptr<RowReducer> make_row_reducer(ReducerSettings const& settings, ReducerShape const& shape,
                                             std::uint64_t seed) {
  if (settings.solver == "gram") return std::make_unique<GramReducer>(shape);
  if (settings.solver == "qr") return std::make_unique<QrReducer>(shape);
  if (settings.solver == "block") return std::make_unique<BlockReducer>(settings, shape, seed);
  if (settings.solver == "author") return std::make_unique<AuthorReducer>(settings, shape, seed);
  refuse(fmt::format("low_rank.solver '{}' is unknown; there are {}", settings.solver, fmt::join(solver_names, ", ")));
}

}  // namespace minidad
