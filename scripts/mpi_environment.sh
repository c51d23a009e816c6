# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Sourced: lets a few ranks share a small machine, also as root. On a cluster the launcher's own settings count instead.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} OMP_PROC_BIND=${OMP_PROC_BIND:-false}
export KOKKOS_DISABLE_WARNINGS=1
