// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string>

#include "comm/communicator.hpp"

namespace minidad {

/// Moves rows between two ranks, or from one to all; prepared once, blocking. Packed rows stand in rows(n).
class RowChannel {
 public:
  /// For at most max_rows rows of `cols` scalars. `part` names it in the books.
  RowChannel(Communicator& comm, std::string const& part, std::size_t max_rows, std::size_t cols);
  ~RowChannel();
  RowChannel(RowChannel&&) noexcept;

  /// The first n rows of the buffer.
  Matrix rows(std::size_t n) const;
  void send(ExecSpace const& space, int to, std::size_t n);
  void receive(ExecSpace const& space, int from, std::size_t n);
  /// Collective. The root's rows reach everybody. Booked with the root, which sends (S-1) times the rows in all.
  void broadcast(ExecSpace const& space, int root, std::size_t n);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace minidad
