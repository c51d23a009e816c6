// SPDX-License-Identifier: BSD-3-Clause
#include "io/seal.hpp"

#include <fmt/format.h>

#include <cstdint>
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
constexpr std::size_t stretch = 1 << 20;  // bytes read at once; of whole words

/// Of what is left in `file`, to its end. A last, shorter word is filled up with zeros; the seal holds the length too.
std::uint64_t digest_of_rest(std::istream& file, std::string const& path) {
  std::vector<char> bytes(stretch);
  std::uint64_t sum = 0, place = 0;
  do {
    file.read(bytes.data(), static_cast<std::streamsize>(stretch));
    auto const got = static_cast<std::size_t>(file.gcount());
    std::memset(bytes.data() + got, 0, (8 - got % 8) % 8);
    for (std::size_t i = 0; i < got; i += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data() + i, 8);
      sum += scramble(word + ++place * 0x9E3779B97F4A7C15ull);
    }
  } while (file);
  if (file.bad()) throw Error(ExitCode::run_time, fmt::format("{}: cannot be read to its end", path));
  return sum;
}

std::string seal_of(std::istream& file, std::string const& path) {
  file.seekg(seal_block);
  auto block =
      fmt::format("{} bytes {} digest {:016x}\n", mark, std::filesystem::file_size(path), digest_of_rest(file, path));
  block.resize(seal_block, '\0');
  return block;
}

}  // namespace

void seal_file(std::string const& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  if (!file) throw Error(ExitCode::run_time, fmt::format("{}: cannot be opened to be sealed", path));
  auto const block = seal_of(file, path);
  file.clear();  // of having met the end
  file.seekp(0);
  file.write(block.data(), static_cast<std::streamsize>(block.size()));
  file.close();
  if (!file) throw Error(ExitCode::run_time, fmt::format("{}: the seal cannot be written", path));
}

void verify_seal(std::string const& path) {
  std::error_code status;
  if (!std::filesystem::is_regular_file(path, status))
    refuse(fmt::format("{}: {}", path, status ? status.message() : "not a file"));
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(fmt::format("{}: cannot be read", path));
  std::string found(seal_block, '\0');
  file.read(found.data(), static_cast<std::streamsize>(seal_block));
  if (!file || !found.starts_with(mark))
    refuse(fmt::format("{}: not sealed: not a file of minidad, or one that was never finished", path));
  if (found != seal_of(file, path)) refuse(fmt::format("{}: damaged: its bytes are not those that were sealed", path));
}

}  // namespace minidad
