// SPDX-License-Identifier: BSD-3-Clause
#include "io/seal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <vector>

#include "core/digest.hpp"
#include "core/error.hpp"

namespace minidad {

namespace {

constexpr std::string_view mark = "minidad seal 1";
constexpr std::uint64_t piece = 1 << 20;  // bytes read at once; of whole words

std::string seal_of(std::uint64_t bytes, std::uint64_t digest) {
  auto block = fmt::format("{} bytes {} digest {:016x}\n", mark, bytes, digest);
  block.resize(seal_block, '\0');
  return block;
}

/// Refuses what has no seal.
std::string seal_in(std::string const& path) {
  std::error_code status;
  if (!std::filesystem::is_regular_file(path, status))
    refuse(fmt::format("{}: {}", path, status ? status.message() : "not a file"));
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(fmt::format("{}: cannot be read", path));
  std::string found(seal_block, '\0');
  file.read(found.data(), static_cast<std::streamsize>(seal_block));
  if (!file || !found.starts_with(mark))
    refuse(fmt::format("{}: not sealed: not a file of minidad, or one that was never finished", path));
  return found;
}

void compare(std::string const& path, std::string const& found, std::uint64_t bytes, std::uint64_t digest) {
  if (found != seal_of(bytes, digest))
    refuse(fmt::format("{}: damaged: its bytes are not those that were sealed", path));
}

std::uint64_t digest_behind_seal(std::string const& path, std::uint64_t bytes) {
  return digest_stretch(path, seal_block, bytes);
}

}  // namespace

std::uint64_t digest_words(std::span<std::byte const> bytes, std::uint64_t offset) {
  std::uint64_t sum = 0, place = (offset - seal_block) / 8;
  auto const add = [&](std::byte const* from, std::size_t count) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, count);
    sum += scramble(word + ++place * 0x9E3779B97F4A7C15ull);
  };
  std::size_t const whole = bytes.size() / 8 * 8;
  for (std::size_t i = 0; i < whole; i += 8) add(bytes.data() + i, 8);
  if (whole < bytes.size()) add(bytes.data() + whole, bytes.size() - whole);
  return sum;
}

std::uint64_t digest_stretch(std::string const& path, std::uint64_t begin, std::uint64_t end) {
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(begin));
  std::vector<char> bytes(std::min(piece, end - begin));
  std::uint64_t sum = 0;
  for (auto at = begin; at < end; at += piece) {
    auto const size = std::min(piece, end - at);
    file.read(bytes.data(), static_cast<std::streamsize>(size));
    if (!file) throw Error(ExitCode::run_time, fmt::format("{}: cannot be read to its end", path));
    sum += digest_words(std::as_bytes(std::span(bytes)).first(size), at);
  }
  return sum;
}

void seal_file(std::string const& path) {
  std::error_code status;
  auto const bytes = std::filesystem::file_size(path, status);
  if (status) throw Error(ExitCode::run_time, fmt::format("{}: cannot be sealed: {}", path, status.message()));
  write_seal(path, digest_behind_seal(path, bytes));
}

void write_seal(std::string const& path, std::uint64_t digest) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  if (!file) throw Error(ExitCode::run_time, fmt::format("{}: cannot be opened to be sealed", path));
  auto const block = seal_of(std::filesystem::file_size(path), digest);
  file.write(block.data(), static_cast<std::streamsize>(block.size()));
  file.close();
  if (!file) throw Error(ExitCode::run_time, fmt::format("{}: the seal cannot be written", path));
}

void verify_seal(std::string const& path) {
  auto const found = seal_in(path);
  auto const bytes = std::filesystem::file_size(path);
  compare(path, found, bytes, digest_behind_seal(path, bytes));
}

void verify_seal(Communicator& comm, std::string const& path) {
  std::string found;
  std::uint64_t bytes = 0;
  std::int64_t digest[1] = {0};  // sums wrap around
  comm.agree([&] {
    found = seal_in(path);
    bytes = std::filesystem::file_size(path);
    auto const ranks = static_cast<std::uint64_t>(comm.size()), rank = static_cast<std::uint64_t>(comm.rank());
    auto const words = (bytes - seal_block + 7) / 8;
    auto const begin_of = [&](std::uint64_t r) { return std::min(bytes, seal_block + 8 * (words * r / ranks)); };
    digest[0] = static_cast<std::int64_t>(digest_stretch(path, begin_of(rank), begin_of(rank + 1)));
  });
  comm.sum(std::span<std::int64_t>(digest));
  comm.agree([&] { compare(path, found, bytes, static_cast<std::uint64_t>(digest[0])); });
}

}  // namespace minidad
