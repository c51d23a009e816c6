// SPDX-License-Identifier: BSD-3-Clause
#include "train/factor_spectra.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <limits>

#include "support/dense.hpp"
#include "support/host_copy.hpp"

namespace minidad {

Factors some_factors(FactorSizes const& sizes, double phase = 0) {
  return {matrix_from(wavy(sizes.rows * sizes.in, phase), sizes.rows, sizes.in),
          matrix_from(wavy(sizes.rows * sizes.out, phase + 1), sizes.rows, sizes.out)};
}

/// To within rounding of the squares, as promised.
void expect_values(std::span<double const> found, std::vector<double> const& expected, double scale,
                   std::string const& what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  for (std::size_t j = 0; j < expected.size(); ++j)
    EXPECT_NEAR(found[j], expected[j], 1e-7 * scale) << what << ", value " << j;
}

// Few rows; more rows than the layer is wide, either way round; as many; one; and rows in one of the sizes that the
// workspace has not been made for alone.
std::vector<FactorSizes> const many_sizes{{12, 9, 5}, {9, 12, 7}, {30, 4, 14}, {4, 30, 14}, {6, 6, 6},
                                          {5, 3, 20}, {3, 5, 20}, {8, 8, 1},   {1, 7, 4},   {7, 1, 4}};

TEST(FactorSpectra, AreThoseOfTheDenseMatrices) {
  for (bool const by_class : {false, true}) {
    FactorSpectra spectra(many_sizes, 3, by_class);
    ExecSpace const space;
    for (auto const& sizes : many_sizes) {
      auto const what = fmt::format("{} x {}, {} rows, by class {}", sizes.in, sizes.out, sizes.rows, by_class);
      auto const g = some_factors(sizes);
      DoubleMatrix const vectors("minidad::test::vectors", 3, sizes.out);
      auto const count = spectra.evaluate(space, g, vectors);
      auto const input = dense_svd(g.input).values, delta = dense_svd(g.delta).values;
      auto const product = dense_svd(dense_product(g), sizes.in, sizes.out);
      double const scale = input[0] * delta[0];
      auto few = product.values;
      few.resize(std::min({sizes.rows, sizes.in, sizes.out}));
      expect_values(spectra.input(), input, input[0], what);
      expect_values(spectra.delta(), delta, delta[0], what);
      expect_values(spectra.gradient(), few, scale, what);

      auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), vectors);
      EXPECT_EQ(count, std::min<std::size_t>(3, few.size())) << what;
      for (std::size_t j = 0; j < 3; ++j) {  // the same vectors up to sign, and zeros
        double overlap = 0, length = 0;
        for (std::size_t c = 0; c < sizes.out; ++c) {
          length += host(j, c) * host(j, c);
          if (j < count) overlap += host(j, c) * product.right[j * sizes.out + c];
        }
        EXPECT_NEAR(length, j < count ? 1 : 0, 1e-9) << what << ", vector " << j;
        EXPECT_NEAR(std::abs(overlap), j < count ? 1 : 0, 1e-9) << what << ", vector " << j;
      }
    }
  }
}

TEST(FactorSpectra, OfSomeRowsAreThoseOfTheOthersSetToZero) {
  FactorSpectra spectra(many_sizes, 3, true);
  ExecSpace const space;
  for (auto const& sizes : many_sizes) {
    auto const g = some_factors(sizes, 0.5);
    spectra.evaluate(space, g, DoubleMatrix("minidad::test::vectors", 3, sizes.out));
    double const scale = spectra.input()[0] * spectra.delta()[0];
    for (std::size_t const stride : {1, 2, 3, 100}) {
      std::vector<std::size_t> some;
      auto masked = host_copy(g.delta);
      for (std::size_t row = 0; row < sizes.rows; ++row)
        if (row % stride == stride - 1)
          some.push_back(row);
        else
          std::fill_n(masked.begin() + static_cast<std::ptrdiff_t>(row * sizes.out), sizes.out, Real(0));
      auto expected =
          dense_svd(dense_product({g.input, matrix_from(masked, sizes.rows, sizes.out)}), sizes.in, sizes.out).values;
      expected.resize(std::min({some.size(), sizes.in, sizes.out}));
      expect_values(spectra.gradient_of(some), expected, scale,
                    fmt::format("{} x {}, {} rows", sizes.in, sizes.out, some.size()));
    }
  }
}

TEST(FactorSpectra, TellDependentRowsFromOthers) {
  ExecSpace const space;
  // Six rows that are multiples of two, for both routes: a gradient of rank 2.
  for (FactorSizes const sizes : {FactorSizes{9, 8, 6}, FactorSizes{9, 3, 6}}) {
    auto const two = some_factors({sizes.in, sizes.out, 2});
    Factors const g = some_factors(sizes);
    for (std::size_t row = 0; row < 6; ++row) {
      Kokkos::deep_copy(rows_of(g.input, row, row + 1), rows_of(two.input, row % 2, row % 2 + 1));
      Kokkos::deep_copy(rows_of(g.delta, row, row + 1), rows_of(two.delta, row % 2, row % 2 + 1));
    }
    FactorSpectra spectra({sizes}, 4, false);
    EXPECT_EQ(spectra.evaluate(space, g, DoubleMatrix("minidad::test::vectors", 4, sizes.out)), 2u);
    EXPECT_GT(spectra.gradient()[1], 1e-3 * spectra.gradient()[0]);
    EXPECT_LT(spectra.gradient()[2], 1e-7 * spectra.input()[0] * spectra.delta()[0]);
  }
}

TEST(FactorSpectra, OfNothingAreNothing) {
  ExecSpace const space;
  FactorSpectra spectra({{5, 4, 3}, {5, 2, 3}}, 2, true);
  DoubleMatrix const vectors("minidad::test::vectors", 2, 4);
  Kokkos::deep_copy(vectors, 7.0);
  EXPECT_EQ(spectra.evaluate(space, some_factors({5, 4, 0}), vectors), 0u);
  EXPECT_TRUE(spectra.input().empty() && spectra.delta().empty() && spectra.gradient().empty());
  EXPECT_TRUE(spectra.gradient_of({}).empty());
  for (std::size_t const out : {4, 2}) {  // rows that are zero
    DoubleMatrix const none("minidad::test::vectors", 2, out);
    EXPECT_EQ(spectra.evaluate(space, {Matrix("a", 3, 5), Matrix("d", 3, out)}, none), 0u);
    EXPECT_EQ(spectra.gradient().size(), std::min<std::size_t>(3, out));
    for (double const value : spectra.gradient()) EXPECT_EQ(value, 0);
  }
  auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), vectors);
  for (std::size_t i = 0; i < host.size(); ++i) EXPECT_EQ(host.data()[i], 0);
}

TEST(FactorSpectra, OfRowsThatAreNotFiniteAreNaN) {
  ExecSpace const space;
  for (std::size_t const out : {4, 2}) {
    auto const g = some_factors({5, out, 3});
    Kokkos::deep_copy(Kokkos::subview(g.input, 1, 1), std::numeric_limits<Real>::infinity());
    FactorSpectra spectra({{5, out, 3}}, 2, false);
    EXPECT_EQ(spectra.evaluate(space, g, DoubleMatrix("minidad::test::vectors", 2, out)), 0u);
    for (double const value : spectra.gradient()) EXPECT_TRUE(std::isnan(value));
  }
}

}  // namespace minidad
