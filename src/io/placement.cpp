// SPDX-License-Identifier: BSD-3-Clause
#include "io/placement.hpp"

#include <algorithm>

namespace minidad {

std::vector<std::size_t> sizes_in_file(StatePiece const& piece, std::size_t ranks, std::size_t most_rows) {
  auto sizes = piece.shape;
  if (piece.scope == Scope::rows) sizes[0] = most_rows;
  if (differs_by_rank(piece.scope)) {
    if (sizes == std::vector<std::size_t>{1}) sizes.clear();
    sizes.insert(sizes.begin(), ranks);
  }
  for (auto& size : sizes) size = std::max<std::size_t>(1, size);
  return sizes;
}

hid_t file_type(Scalar scalar) {
  switch (scalar) {
    case Scalar::float32: return H5T_IEEE_F32LE;
    case Scalar::float64: return H5T_IEEE_F64LE;
    case Scalar::int64: return H5T_STD_I64LE;
    case Scalar::uint64: return H5T_STD_U64LE;
  }
  return H5I_INVALID_HID;
}

hid_t memory_type(Scalar scalar) {
  switch (scalar) {
    case Scalar::float32: return H5T_NATIVE_FLOAT;
    case Scalar::float64: return H5T_NATIVE_DOUBLE;
    case Scalar::int64: return H5T_NATIVE_INT64;
    case Scalar::uint64: return H5T_NATIVE_UINT64;
  }
  return H5I_INVALID_HID;
}

}  // namespace minidad
