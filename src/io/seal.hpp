// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "comm/communicator.hpp"

namespace minidad {

/// A seal tells a finished file from one that was cut short or damaged, before anything else looks into it. It stands in
/// the first bytes, which HDF5 leaves alone (its "user block"): one line with the file's length and a digest of all bytes
/// behind the block. A byte changed anywhere changes it; against a forger it does not help.
inline constexpr std::uint64_t seal_block = 4096;

// The digest is a sum over 8-byte words, of each word with its place, modulo 2^64: whoever has some words can digest
// them, in any order.

/// Of the words that begin at `offset` of a file; offset is a multiple of 8, a last shorter word is filled up with zeros.
std::uint64_t digest_words(std::span<std::byte const> bytes, std::uint64_t offset);
/// Of [begin, end) of a file, likewise. Throws Error(run_time).
std::uint64_t digest_stretch(std::string const& path, std::uint64_t begin, std::uint64_t end);

/// Writes the seal of a closed file that has room for it. Throws Error(run_time).
void seal_file(std::string const& path);
void write_seal(std::string const& path, std::uint64_t digest);
/// Throws Error(user) when the file is not there, not sealed or not what was sealed.
void verify_seal(std::string const& path);
/// Collective: each rank reads its part of the file. AgreedErrors as those of verify_seal.
void verify_seal(Communicator& comm, std::string const& path);

}  // namespace minidad
