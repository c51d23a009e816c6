// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/checkpoint.hpp"
#include "io/checkpoint_folder.hpp"
#include "options.hpp"

namespace minidad {

/// What a run begins with.
struct Beginning {
  Settings settings;
  std::unique_ptr<Checkpoint> checkpoint;  ///< none: at the start
  std::vector<std::string> begun_anew;     ///< groups of state that other settings have made useless
};

/// Collective. Settles what --restart means: "latest" is the newest undamaged checkpoint of the deck's run, or without a
/// deck of the current folder; where there is none a deck starts afresh. Damaged ones are named and set aside. A folder
/// stands for the newest in it. Without a deck the one in the checkpoint is taken. Differing settings are listed; those
/// that would make another problem of it are refused (AgreedError, user).
Beginning settle_beginning(Communicator& comm, Options const& options);

/// Collective. With these settings, from the newest checkpoint of their run; where there is none, from the start.
Beginning take_up_again(Communicator& comm, Settings const& settings);

/// Where the checkpoints of these settings are.
CheckpointFolder checkpoint_folder(Settings const& settings);

}  // namespace minidad
