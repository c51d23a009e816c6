#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds Kokkos and Kokkos Kernels from Debian's source package trilinos (Debian's binary Kokkos has the Serial back end
# only).
#   usage: build_kokkos.sh FOLDER [FLAVOUR]
# FLAVOUR: openmp (default, into FOLDER/install), serial, threads, or bounds: OpenMP with every index of a View checked
# (into FOLDER/install-FLAVOUR).
set -euo pipefail
folder=$(mkdir -p "$1" && cd "$1" && pwd)
flavour=${2:-openmp}
prefix=$folder/install-$flavour
options=(-DKokkos_ENABLE_SERIAL=ON)
case $flavour in
  openmp) options+=(-DKokkos_ENABLE_OPENMP=ON) prefix=$folder/install ;;
  serial) ;;
  threads) options+=(-DKokkos_ENABLE_PTHREAD=ON) ;;
  bounds) options+=(-DKokkos_ENABLE_OPENMP=ON -DKokkos_ENABLE_DEBUG=ON -DKokkos_ENABLE_DEBUG_BOUNDS_CHECK=ON) ;;
  *) echo "build_kokkos: '$flavour' is not one of openmp, serial, threads, bounds" >&2 && exit 2 ;;
esac
if [[ -f $prefix/complete ]]; then exit 0; fi
if ! command -v apt-get >/dev/null; then
  echo "minidad: no suitable Kokkos was found, and without apt there is no source to build one from; install it (Spack:" \
    "spack install kokkos+openmp kokkos-kernels) and name its folder in MINIDAD_KOKKOS or CMAKE_PREFIX_PATH" >&2
  exit 1
fi
echo "minidad: building Kokkos ($flavour) into $prefix"

# The machine's own Debian entries, read as deb-src with lists and caches of their own: nothing under /etc changes,
# and apt checks signature and checksum as ever.
write_source_entries() {
  local codename
  codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
  mkdir -p "$folder"/apt/{lists/partial,cache/archives/partial,parts}
  awk -v suite="$codename" '$1 == "deb" && / main/ {
      for (i = 2; i <= NF; ++i) if ($i == suite) { sub(/^deb /, "deb-src "); print; break } }' \
    /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null >"$folder/apt/parts/one-line.list" || true
  awk -v RS= -v ORS='\n\n' -v suite="$codename" '
      $0 ~ "(^|\n)Suites:([^\n]* )?" suite "( |\n|$)" { sub(/(^|\n)Types:[^\n]*/, "\nTypes: deb-src"); print }' \
    /etc/apt/sources.list.d/*.sources 2>/dev/null | grep -v '^#' >"$folder/apt/parts/stanzas.sources" || true
}

if [[ ! -d $folder/source/kokkos-kernels ]]; then
  write_source_entries
  apt_options=(-q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$folder/apt/parts"
    -o Dir::State::lists="$folder/apt/lists" -o Dir::Cache="$folder/apt/cache" -o APT::Sandbox::User=root)
  apt-get "${apt_options[@]}" update
  (cd "$folder/apt" && apt-get "${apt_options[@]}" source --download-only trilinos)
  rm -rf "$folder/unpacking" && mkdir -p "$folder/unpacking"
  tar -xf "$folder"/apt/trilinos_*.orig.tar.* -C "$folder/unpacking" --strip-components=2 \
    --wildcards '*/packages/kokkos/*' '*/packages/kokkos-kernels/*'
  rm -rf "$folder/source" && mv "$folder/unpacking" "$folder/source"
  rm -rf "$folder/apt"
fi

configure() {  # name, options...
  local name=$1
  shift
  cmake -S "$folder/source/$name" -B "$folder/build/$name" -G Ninja -DCMAKE_INSTALL_PREFIX="$prefix" \
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_STANDARD=17 -DCMAKE_CXX_EXTENSIONS=OFF \
    -DCMAKE_POSITION_INDEPENDENT_CODE=ON "$@" >"$folder/$name.log" 2>&1 &&
    cmake --build "$folder/build/$name" --target install >>"$folder/$name.log" 2>&1 ||
    { tail -n 30 "$folder/$name.log" >&2; echo "minidad: $name did not build, see $folder/$name.log" >&2; exit 1; }
}
rm -rf "$folder/build" "$prefix"
configure kokkos "${options[@]}"
# How names of BLAS end is known on Debian: it need not look for a Fortran compiler to find out.
configure kokkos-kernels -DKokkos_ROOT="$prefix" -DKokkosKernels_ENABLE_TPL_BLAS=ON '-DF77_BLAS_MANGLE=(name,NAME) name ## _' \
  -DKokkosKernels_ADD_DEFAULT_ETI=OFF -DKokkosKernels_INST_DOUBLE=OFF -DKokkosKernels_INST_LAYOUTLEFT=OFF
rm -rf "$folder/build"
touch "$prefix/complete"
