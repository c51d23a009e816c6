// SPDX-License-Identifier: BSD-3-Clause
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <atomic>

#include "linalg/gemm.hpp"

// This program's own gemm_ stands before the library's: it counts, then passes the call on. If Kokkos Kernels took its
// native kernel, nothing would be counted.
namespace {
std::atomic<int> calls = 0;
}

#define MINIDAD_COUNTED(name, scalar)                                                                                 \
  extern "C" void name(char const* ta, char const* tb, int const* m, int const* n, int const* k, scalar const* alpha, \
                       scalar const* a, int const* lda, scalar const* b, int const* ldb, scalar const* beta,          \
                       scalar* c, int const* ldc) {                                                                   \
    ++calls;                                                                                                          \
    static auto const next = reinterpret_cast<decltype(&name)>(dlsym(RTLD_NEXT, #name));                              \
    next(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);                                                       \
  }
MINIDAD_COUNTED(sgemm_, float)
MINIDAD_COUNTED(dgemm_, double)

namespace minidad {

TEST(Gemm, ReachesTheVendorBlasForEveryOp) {
  ExecSpace const space;
  Matrix const square("minidad::test::a", 8, 8), wide("minidad::test::b", 8, 20), out("minidad::test::c", 8, 8);
  for (auto const op_a : {Op::none, Op::transpose})
    for (auto const op_b : {Op::none, Op::transpose}) {
      int const before = calls;
      gemm(space, op_a, op_b, 1, square, square, 0, out);
      EXPECT_EQ(calls, before + 1);
      gemm(space, op_a, op_b, 1, columns_of(wide, 3, 11), square, 0, out);  // strided, as dAD's gathered columns
      EXPECT_EQ(calls, before + 2);
    }
}

}  // namespace minidad
