// SPDX-License-Identifier: BSD-3-Clause
#include "keeper.hpp"

#include "io/checkpoint.hpp"
#include "restart.hpp"

namespace minidad {

Keeper::Keeper(Communicator& comm, Settings const& settings, Provenance provenance,
               std::function<void(StateVisitor&)> const& show, RunFile& file)
    : comm_(comm),
      folder_(checkpoint_folder(settings)),
      evidence_(folder_.of("evidence")),
      every_(settings.checkpoint.every),
      keep_(settings.checkpoint.keep),
      provenance_(std::move(provenance)),
      show_(show),
      file_(file) {
  comm_.agree([&] {
    if (comm_.rank() == 0) folder_.prepare();
  });
}

void Keeper::abandon_later(std::int64_t step) const {
  if (comm_.rank() != 0) return;
  for (auto const& [when, path] : folder_.list())
    if (when > step) CheckpointFolder::set_aside(path, "abandoned");
}

void Keeper::write(std::string const& path) const {
  auto records = file_.written();
  write_checkpoint(comm_, path, provenance_, [&](StateVisitor& visitor) {
    show_(visitor);
    records.visit_state(visitor);
  });
}

std::string Keeper::save(std::int64_t step) {
  file_.flush();
  auto path = folder_.path(step);
  write(path);
  if (comm_.rank() == 0) folder_.rotate(step, keep_);
  return path;
}

std::string Keeper::save_evidence(std::int64_t step) const {
  file_.flush();
  auto path = evidence_.path(step);
  write(path);
  return path;
}

}  // namespace minidad
