#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Installs the Debian packages that minidad needs, with --tests what its tests need as well, or with --docs only what its
# site needs; elsewhere says what to install and goes on.
set -euo pipefail

packages=(
  build-essential cmake ninja-build git ca-certificates
  libopenmpi-dev openmpi-bin libhdf5-openmpi-dev hdf5-tools libopenblas-openmp-dev
  zlib1g-dev libcli11-dev libtomlplusplus-dev libfmt-dev
  dataset-fashion-mnist jargon-text
  python3 python3-numpy python3-h5py python3-matplotlib
)
docs=(doxygen python3-sphinx python3-myst-parser furo)
case ${1:-} in
  --tests)
    packages+=(libgtest-dev python3-pytest python3-xarray python3-h5netcdf python3-netcdf4 python3-yaml chromium "${docs[@]}")
    ;;
  --docs) packages=("${docs[@]}") ;;
esac

if ! command -v apt-get >/dev/null; then
  cat <<'TEXT'
minidad: this is not a Debian machine, so nothing was installed. It needs Kokkos and Kokkos Kernels (>= 3.4,
with OpenMP or a GPU back end), MPI, parallel HDF5, BLAS and LAPACK, zlib, CLI11, toml++, fmt and GoogleTest, e.g.
  spack install kokkos+openmp kokkos-kernels scalars=float,double hdf5+mpi+hl cli11 tomlplusplus fmt googletest
  spack load kokkos kokkos-kernels hdf5 cli11 tomlplusplus fmt googletest
Going on with what is there.
TEXT
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done

as_root=()
if [[ $(id -u) -ne 0 ]]; then as_root=(sudo); fi

if ((${#missing[@]})); then
  if ((${#as_root[@]})) && ! command -v sudo >/dev/null; then
    echo "minidad: please have root install: ${missing[*]}" >&2
    exit 1
  fi
  echo "minidad: installing ${missing[*]}"
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
fi

if [[ ${1:-} == --docs ]]; then exit 0; fi

# OpenBLAS' pthread variant fights Kokkos' OpenMP threads (3x slower steps). Where both are installed it wins
# Debian's alternatives, so choose the OpenMP one by name.
triplet=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
for link in libblas.so.3 liblapack.so.3 libopenblas.so.0 libblas.so liblapack.so libopenblas.so; do
  name=$link-$triplet
  wanted=$(update-alternatives --query "$name" 2>/dev/null | sed -n 's/^Alternative: \(.*openblas-openmp.*\)/\1/p')
  now=$(update-alternatives --query "$name" 2>/dev/null | sed -n 's/^Value: //p')
  if [[ -n $wanted && $wanted != "$now" ]]; then
    "${as_root[@]}" update-alternatives --set "$name" "$wanted"
  fi
done
