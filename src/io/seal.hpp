// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string>

namespace minidad {

/// A finished file begins with a block that HDF5 leaves to its users ("user block"). The seal in it, a line of text and
/// zeros, holds the length of the file and a digest of all bytes behind the block. Any change of one byte, wherever, is
/// found for certain, and before HDF5 reads anything: the digest is a sum over 8-byte words of an invertible function of
/// each, keyed by its place, and of the block every byte is known.
inline constexpr std::size_t seal_block = 4096;

/// Writes the seal. The file is closed and begins with a user block. Throws Error(run_time).
void seal_file(std::string const& path);

/// Throws Error(user), saying why, unless the file is as it was when it was sealed; Error(run_time) if the disk fails.
void verify_seal(std::string const& path);

}  // namespace minidad
