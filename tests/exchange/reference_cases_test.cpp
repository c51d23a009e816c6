// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <hdf5_hl.h>

#include <cstdlib>

#include "io/hdf5.hpp"
#include "support/low_rank.hpp"
#include "support/test_comm.hpp"

// What exchanges are given and what they make of it, for analysis/tests/test_reference.py to compute again in NumPy: one
// file a rank in the folder MINIDAD_REFERENCE_FOLDER.

namespace minidad {

namespace {

std::vector<Case> const cases{
    {"dsgd", "dsgd", {}},
    {"dad", "dad", {}},
    {"edad", "edad", {}},
    {"gram", "rank_dad", {.width = 2, .solver = "gram"}},
    {"qr", "rank_dad", {.width = 3, .solver = "qr"}},
    {"qr_feedback", "rank_dad", {.width = 2, .solver = "qr", .feedback = 9, .feedback_period = 2}},
    {"qr_budget", "rank_dad", {.width = 6, .epsilon = 0.3, .solver = "qr"}},
    {"block", "rank_dad", {.width = 2}},
    {"block_cold_sweeps", "rank_dad", {.width = 2, .sweeps = 3, .oversampling = 1, .warm_start = false}},
    {"block_feedback", "rank_dad", {.width = 2, .feedback = 3, .feedback_period = 2}},
    {"block_budget_feedback", "rank_dad", {.width = 6, .epsilon = 0.3, .feedback = 3, .feedback_period = 3}},
    {"author", "rank_dad", {.width = 4, .solver = "author", .sweeps = 5}},
    {"author_all", "rank_dad", {.width = 3, .solver = "author", .sweeps = 1, .drop_last = false}},
    {"root", "rank_dad", {.width = 2, .pattern = "root", .feedback = 3, .feedback_period = 2}},
    {"tree", "rank_dad", {.width = 2, .pattern = "tree"}},
    {"powersgd", "powersgd", {.width = 2}},
    {"powersgd_forgetful", "powersgd", {.width = 2, .warm_start = false, .dense_feedback = false}},
    {"power_dad", "power_dad", {.width = 2, .sweeps = 2}},
    {"power_dad_feedback", "power_dad", {.width = 2, .feedback = 9, .feedback_period = 2}},
    {"power_dad_budget", "power_dad", {.width = 6, .epsilon = 0.3}},
};

// No layer is narrower than a rank has rows, so that rows stay the rows they were.
std::vector<DenseShape> const shapes{
    {12, 10, Activation::tanh}, {10, 9, Activation::relu}, {9, 8, Activation::identity}};
constexpr std::size_t steps = 5, ragged_samples = 4 * 14 + 11;

void write(hid_t group, std::string const& name, Flat const& values, hsize_t rows) {
  hsize_t const size[2] = {rows, rows == 0 ? 0 : values.size() / rows};
  check_hdf5(H5LTmake_dataset_double(group, name.c_str(), 2, size, values.data()), name);
}

Handle create_group(hid_t parent, std::string const& name) {
  return {H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose, name};
}

void write_settings(hid_t group, std::string const& method, LowRankSettings const& s) {
  for (auto const& [name, text] : {std::pair{"method", method}, {"solver", s.solver}, {"pattern", s.pattern}})
    write_text(group, name, text);
  for (auto const& [name, number] : {std::pair{"width", static_cast<double>(s.width)},
                                     {"epsilon", s.epsilon},
                                     {"sweeps", static_cast<double>(s.sweeps)},
                                     {"oversampling", static_cast<double>(s.oversampling)},
                                     {"warm_start", s.warm_start ? 1.0 : 0.0},
                                     {"drop_last", s.drop_last ? 1.0 : 0.0},
                                     {"feedback", static_cast<double>(s.feedback)},
                                     {"feedback_period", static_cast<double>(s.feedback_period)},
                                     {"dense_feedback", s.dense_feedback ? 1.0 : 0.0}})
    write_scalar(group, name, H5T_NATIVE_DOUBLE, &number);
}

void write_step(hid_t group, SmallProblem& problem, std::size_t step) {
  auto const own = problem.own_rows(0, step);
  auto const gradient = doubles(problem.exchanged_gradient(0, step));
  std::size_t begin = 0;
  for (std::size_t l = 0; l < shapes.size(); ++l) {
    auto const layer = create_group(group, fmt::format("layer{}", l));
    auto const factors = own.factors(l);
    auto const in = shapes[l].in, out = shapes[l].out;
    write(layer.get(), "input", doubles(host_copy(factors.input)), factors.rows());
    write(layer.get(), "delta", doubles(host_copy(factors.delta)), factors.rows());
    write(layer.get(), "weight", doubles(host_copy(problem.network.parameters().layer[l].weight())), in);
    auto const weights = gradient.begin() + static_cast<std::ptrdiff_t>(begin),
               bias = weights + static_cast<std::ptrdiff_t>(in * out);
    write(layer.get(), "gradient", {weights, bias}, in);
    write(layer.get(), "bias_gradient", {bias, bias + static_cast<std::ptrdiff_t>(out)}, 1);
    begin += in * out + out;
  }
  for (double const value : gradient) ASSERT_TRUE(std::isfinite(value));
}

}  // namespace

TEST(ReferenceCases, AreWritten) {
  auto const* const folder = std::getenv("MINIDAD_REFERENCE_FOLDER");
  ASSERT_NE(folder, nullptr) << "set MINIDAD_REFERENCE_FOLDER to a folder for the files";
  auto& comm = test_comm();
  prepare_hdf5();
  auto const path = fmt::format("{}/ranks{}_rank{}.h5", folder, comm.size(), comm.rank());
  auto file = create_file(path);
  write_text(file.get(), "real", sizeof(Real) == 8 ? "double" : "float");
  for (auto [name, method, settings] : cases) {
    settings.min_compression = always;
    auto options = with(method, settings);
    options.shapes = shapes;
    options.samples = ragged_samples;
    SmallProblem problem(comm, options);
    auto const group = create_group(file.get(), name);
    write_settings(group.get(), method, settings);
    for (std::size_t step = 0; step < steps; ++step)
      write_step(create_group(group.get(), fmt::format("step{}", step)).get(), problem, step);
  }
  close_file(file, path);
}

}  // namespace minidad
