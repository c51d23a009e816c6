// SPDX-License-Identifier: BSD-3-Clause
#include "provenance.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "core/build_info.hpp"
#include "io/run_file.hpp"

namespace minidad {

namespace {

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

}  // namespace

std::string version_text(Communicator const& comm) {
  auto const build = build_info();
  return fmt::format(
      "minidad {} ({})\n"
      "compiler  {} {} [{}]\n"
      "scalar    {}\n"
      "Kokkos    {} [{}], kernels run on {} with {} threads\n"
      "BLAS      {}\n"
      "MPI       {}\n"
      "HDF5      {} (parallel)",
      build.version, build.git_hash, build.compiler, build.build_type, build.flags, build.real, build.kokkos,
      build.kokkos_devices, build.execution_space, ExecSpace().concurrency(), build.blas, comm.library(),
      hdf5_version());
}

Provenance provenance(Communicator const& comm, Settings const& settings, Model const& model, RunOrigin const& origin) {
  auto const build = build_info();
  return {{"deck", resolved_deck(settings)},
          {"model", to_text(model)},
          {"command", origin.command},
          {"run_id", origin.id},
          {"restarts", origin.restarts},
          {"total_steps", fmt::to_string(origin.total_steps)},
          {"version", build.version},
          {"git_hash", build.git_hash},
          {"compiler", build.compiler},
          {"flags", build.flags},
          {"build_type", build.build_type},
          {"real", build.real},
          {"kokkos", build.kokkos},
          {"kokkos_devices", build.kokkos_devices},
          {"execution_space", build.execution_space},
          {"blas", build.blas},
          {"mpi", comm.library()},
          {"hdf5", hdf5_version()},
          {"host", host_name()},
          {"ranks", fmt::to_string(comm.size())},
          {"threads", fmt::to_string(ExecSpace().concurrency())},
          {"transfer", settings.comm.transfer},
          {"start", utc_now()}};
}

}  // namespace minidad
