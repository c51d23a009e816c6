// SPDX-License-Identifier: BSD-3-Clause
#include "compress/block_reducer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "compress/random_rows.hpp"
#include "core/fill.hpp"
#include "linalg/gemm.hpp"
#include "linalg/rows.hpp"

namespace minidad {

BlockReducer::BlockReducer(ReducerSettings const& settings, ReducerShape const& shape, std::uint64_t seed)
    : settings_(settings),
      columns_(std::min({shape.few + static_cast<std::size_t>(settings.oversampling), shape.in, shape.out})),
      seed_(seed),
      found_{Matrix("minidad::compress::found_input", columns_, shape.in),
             Matrix("minidad::compress::found_delta", columns_, shape.out)},
      turned_{Matrix("minidad::compress::turned_input", columns_, shape.in),
              Matrix("minidad::compress::turned_delta", columns_, shape.out)},
      coordinates_("minidad::compress::coordinates", shape.max_rows, columns_),
      input_basis_(columns_, shape.in),
      delta_basis_(settings.sweeps > 1 ? columns_ : 0, shape.out),
      wide_("minidad::compress::wide", columns_, shape.out),
      product_("minidad::compress::product", columns_, columns_),
      rotation_("minidad::compress::rotation", columns_, columns_),
      transfer_(columns_ * columns_),
      eigen_(columns_),
      values_(columns_),
      host_rotation_(columns_ * columns_),
      norm_(shape) {}

void BlockReducer::iterate(ExecSpace const& space, Factors const& rows) {
  auto start = turned_.delta;
  for (std::int64_t sweep = 0; sweep < settings_.sweeps; ++sweep) {
    if (sweep > 0) {
      delta_basis_.orthonormalise(space, found_.delta);
      start = found_.delta;
    }
    product_through_rows(space, start, rows.delta, rows.input, coordinates_, found_.input);
    input_basis_.orthonormalise(space, found_.input);
    product_through_rows(space, found_.input, rows.input, rows.delta, coordinates_, found_.delta);
  }
}

void BlockReducer::rotate(ExecSpace const& space) {
  row_products(space, found_.delta, wide_, product_);
  eigen_.solve(transfer_.fetch(space, product_), columns_);
  for (std::size_t j = 0; j < columns_; ++j) {
    auto const vector = eigen_.vector(j);
    std::copy(vector.begin(), vector.end(), host_rotation_.begin() + static_cast<std::ptrdiff_t>(j * columns_));
    auto const value = eigen_.values()[j];
    values_[j] = value < 0 ? 0 : std::sqrt(value);
  }
  transfer_.put(space, host_rotation_, rotation_);
  gemm(space, Op::none, Op::none, 1, rotation_, found_.input, 0, turned_.input);
  gemm(space, Op::none, Op::none, 1, rotation_, found_.delta, 0, turned_.delta);
  double const noise = 4 * static_cast<double>(std::numeric_limits<Real>::epsilon()) * values_[0];
  for (live_ = 0; live_ < columns_ && values_[live_] > noise; ++live_) {
  }
}

void BlockReducer::reduce(ExecSpace const& space, Factors const& rows, Factors const& few) {
  last_ = rows;
  if (!settings_.warm_start) live_ = 0;
  fill_normal(space, seed_, calls_++, rows_of(turned_.delta, live_, columns_));
  iterate(space, rows);
  rotate(space);
  auto const kept = std::min(columns_, few.rows());
  copy_rows(space, first_rows(turned_, kept), first_rows(few, kept));
  fill(space, rows_of(few.input, kept, few.rows()), 0);
  fill(space, rows_of(few.delta, kept, few.rows()), 0);
}

void BlockReducer::visit_state(StateVisitor& visitor) {
  visitor.value("calls", Scope::common, calls_);
  visitor.count("live", Scope::own, live_, columns_);
  visitor.array("start", Scope::own, turned_.delta);
}

}  // namespace minidad
