// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace minidad {

/// The checkpoints of a run, by their names: STEM.step<12 digits>.h5 in one folder. All calls are rank 0's.
class CheckpointFolder {
 public:
  /// `stem` is the run file's name without its ".h5".
  CheckpointFolder(std::string folder, std::string stem);

  /// In the same folder, of something else: STEM.WHAT.step... No restart takes them for checkpoints to go on from.
  CheckpointFolder of(std::string const& what) const { return {folder_, stem_ + "." + what}; }

  struct Entry {
    std::int64_t step;
    std::string path;
  };
  /// The newest first, by steps.
  std::vector<Entry> list() const;
  std::string path(std::int64_t step) const;

  /// Makes the folder, sees whether it can be written to, and removes what an earlier run was writing when it was killed.
  /// Throws Error(user).
  void prepare() const;
  /// Deletes all but the `keep` newest of those up to `step`, which has just been written.
  void rotate(std::int64_t step, std::int64_t keep) const;
  /// Gives a file another name, by which it is not found any more: path + "." + why.
  static void set_aside(std::string const& path, std::string const& why);

  /// What a restart from a folder alone finds: the stem that all checkpoints in it have. Throws Error(user) when there
  /// is none or more than one.
  static std::string only_stem(std::string const& folder);

 private:
  std::string folder_, stem_;
};

}  // namespace minidad
