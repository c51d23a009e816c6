// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <string>

#include "config/settings.hpp"
#include "io/checkpoint_folder.hpp"
#include "io/run_file.hpp"

namespace minidad {

/// Writes the checkpoints of a run, and keeps the newest few.
class Keeper {
 public:
  /// Collective. `show` shows all state but the counts of records, which are taken from `file`.
  Keeper(Communicator& comm, Settings const& settings, Provenance provenance,
         std::function<void(StateVisitor&)> const& show, RunFile& file);

  /// Collective. Checkpoints beyond `step` are of another future of this run: they are set aside (suffix .abandoned).
  void abandon_later(std::int64_t step) const;
  /// By checkpoint.every; the last step is due as well.
  bool due(std::int64_t step, bool last) const { return every_ > 0 && (last || step % every_ == 0); }
  /// Collective. Brings the run file's records to the disk, and then the state. Returns the file's path.
  std::string save(std::int64_t step);
  /// Collective. Keeps the state of a run that has diverged, where no restart looks for it. Returns the file's path.
  std::string save_evidence(std::int64_t step) const;

 private:
  void write(std::string const& path) const;

  Communicator& comm_;
  CheckpointFolder folder_, evidence_;
  std::int64_t every_, keep_;
  Provenance provenance_;
  std::function<void(StateVisitor&)> show_;
  RunFile& file_;
};

}  // namespace minidad
