// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "comm/session.hpp"
#include "core/kokkos_compat.hpp"
#include "core/types.hpp"

namespace minidad::bench {

/// What every benchmark can be told, from the command line.
struct Arguments {
  std::size_t batch;
  int rounds;
  std::string only = "";  ///< of several cases, those whose names hold this
};

/// main() of a benchmark: `body(comm, arguments)` on every rank.
template <class Body>
int run_bench(int argc, char** argv, Arguments const& defaults, Body const& body) {
  return run_session(argc, argv, [&](Communicator& comm, int n, char** args) {
    body(comm, Arguments{n > 1 ? std::strtoul(args[1], nullptr, 10) : defaults.batch,
                         n > 2 ? std::atoi(args[2]) : defaults.rounds, n > 3 ? args[3] : ""});
    return 0;
  });
}

inline double seconds(auto const& work) {
  auto const start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

inline double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

/// Copies a vector larger than the caches; bandwidth counts bytes read and written.
class Copy {
 public:
  double bytes() const { return 2.0 * static_cast<double>(from_.extent(0) * sizeof(Real)); }
  void run() const;

 private:
  ExecSpace space_;
  Vector from_{"minidad::bench::from", std::size_t{24} << 20}, to_{"minidad::bench::to", std::size_t{24} << 20};
};

inline void copy_vector(ExecSpace const& space, Vector const& from, Vector const& to) {
  Kokkos::parallel_for(
      "minidad::bench::copy", Kokkos::RangePolicy<ExecSpace>(space, 0, from.extent(0)),
      KOKKOS_LAMBDA(std::size_t i) { to(i) = from(i); });
  fence(space, "minidad::bench::copy");
}
inline void Copy::run() const { copy_vector(space_, from_, to_); }

}  // namespace minidad::bench
