// SPDX-License-Identifier: BSD-3-Clause
#include "config/problem.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "data/batch_plan.hpp"
#include "nn/layer_line.hpp"

namespace minidad {

Problem pose_problem(Settings const& settings, int ranks) {
  auto const train = dataset_size(settings.data, Subset::train), test = dataset_size(settings.data, Subset::test);
  auto const batch = static_cast<std::size_t>(settings.training.batch);
  auto const n = static_cast<std::size_t>(ranks);
  if (train.shape != test.shape || train.classes != test.classes)
    refuse(fmt::format("training samples are {} of {} classes, test samples {} of {}", to_string(train.shape),
                       train.classes, to_string(test.shape), test.classes));
  if (train.samples < batch)
    refuse(fmt::format("training.batch = {} is more than the {} training samples", batch, train.samples));
  if (n > batch)
    refuse(fmt::format("{} ranks cannot share training.batch = {} rows; use at most {} ranks", n, batch, batch));
  if (settings.data.split == "class" && n > train.classes)
    refuse(fmt::format("{} ranks cannot share data.classes = {} with data.split = \"class\"; use at most {} ranks", n,
                       train.classes, train.classes));
  auto const block = settings.exchange.deterministic ? static_cast<std::size_t>(settings.exchange.row_block) : 1;
  if (auto const blocks = (batch + block - 1) / block; n > blocks)
    refuse(fmt::format("{} ranks cannot share {} blocks of exchange.row_block = {} rows (training.batch = {})", n,
                       blocks, block, batch));
  auto model = make_model(settings.model, {.input = train.shape, .classes = train.classes, .labels = train.labels});
  expect_possible(settings.exchange, model.shapes());
  Probe::check(settings.probe, model, BatchPlan(train.samples, batch, n, block).ranks_at(0));
  return {train, test, std::move(model), block};
}

Stretch test_stretch(std::size_t total, int rank, int ranks, bool replicates) {
  if (!replicates) return {0, total};
  auto const r = static_cast<std::size_t>(rank), n = static_cast<std::size_t>(ranks);
  return {total * r / n, total * (r + 1) / n};
}

}  // namespace minidad
