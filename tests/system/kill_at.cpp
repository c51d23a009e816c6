// SPDX-License-Identifier: BSD-3-Clause
// A library to preload: the process is killed (SIGKILL) just before or just after its n-th call that changes files,
// n = KILL_AT in the environment, on the rank KILL_RANK. So every moment of writing a file can be the last one.

#include <dlfcn.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

long number(char const* name, long otherwise) {
  char const* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::atol(text);
}

bool is_chosen() {
  char const* const rank = std::getenv("OMPI_COMM_WORLD_RANK");
  return rank != nullptr && std::atol(rank) == number("KILL_RANK", 0);
}

/// Counts moments: two for each call, before it and after it.
void moment() {
  static long const at = is_chosen() ? number("KILL_AT", -1) : -1;
  static std::atomic<long> count{0};
  if (at >= 0 && count++ == at) raise(SIGKILL);
}

/// The function of that name in the library behind this one.
template <class F>
F* behind(char const* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

template <class F, class... Arguments>
auto watched(char const* name, Arguments... arguments) {
  moment();
  auto const result = behind<F>(name)(arguments...);
  moment();
  return result;
}

}  // namespace

extern "C" {

ssize_t pwrite(int file, void const* data, size_t size, off_t offset) {
  return watched<ssize_t(int, void const*, size_t, off_t)>("pwrite", file, data, size, offset);
}
ssize_t pwrite64(int file, void const* data, size_t size, off_t offset) {
  return watched<ssize_t(int, void const*, size_t, off_t)>("pwrite64", file, data, size, offset);
}
int fsync(int file) { return watched<int(int)>("fsync", file); }
int ftruncate(int file, off_t size) noexcept { return watched<int(int, off_t)>("ftruncate", file, size); }
int ftruncate64(int file, off_t size) noexcept { return watched<int(int, off_t)>("ftruncate64", file, size); }
int rename(char const* from, char const* to) noexcept {
  return watched<int(char const*, char const*)>("rename", from, to);
}
int unlink(char const* path) noexcept { return watched<int(char const*)>("unlink", path); }
int remove(char const* path) noexcept { return watched<int(char const*)>("remove", path); }
}
