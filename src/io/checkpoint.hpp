// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "core/state.hpp"
#include "io/records.hpp"

namespace minidad {

// A checkpoint is one HDF5 file. Root attributes schema_name ("minidad-checkpoint") and schema_version; group
// /provenance with texts (the deck among them), and every piece of state under /state, by its name. Each piece is a
// dataset with HDF5's fletcher32 checksums and dimension scales; pieces that differ from rank to rank have the rank as
// their first axis. The whole is sealed (seal.hpp). It can be read by anything that reads HDF5; minidad reads back only
// what it would have written, and looks at the seal before HDF5 sees the file.

inline constexpr char const* checkpoint_schema = "minidad-checkpoint";
inline constexpr char const* checkpoint_version = "1.0";

/// Collective. `show` shows the state, and is called twice. The file is written under `path` + ".tmp", read back and
/// compared, and then published: whatever happens, `path` is all of it or what it was before. Throws AgreedError
/// (run_time) when it cannot be written; the temporary file is then removed.
void write_checkpoint(Communicator& comm, std::string const& path, Provenance const& provenance,
                      std::function<void(StateVisitor&)> const& show);

/// A checkpoint to read from.
class Checkpoint {
 public:
  /// Collective. Throws AgreedError(user) when the file is not a complete checkpoint.
  Checkpoint(Communicator& comm, std::string path);
  ~Checkpoint();
  Checkpoint(Checkpoint const&) = delete;
  Checkpoint& operator=(Checkpoint const&) = delete;

  /// A text of /provenance; throws Error(user) when there is none.
  std::string const& text(std::string const& name) const;
  int ranks() const;  ///< that it was written by
  std::string const& path() const { return path_; }

  /// Collective: `show` is shown to a visitor that loads, but for the groups (first parts of names) in `passed_over`.
  /// Throws AgreedError(user) where what is there is not what was asked for.
  void load(std::function<void(StateVisitor&)> const& show, std::vector<std::string> const& passed_over = {});

 private:
  struct File;
  Communicator& comm_;
  std::string path_;
  std::map<std::string, std::string> texts_;
  std::unique_ptr<File> file_;
  int ranks_ = 0;
};

}  // namespace minidad
