// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace minidad {

/// What one part of the model has sent through one kind of collective.
struct TrafficEntry {
  std::string part;  ///< e.g. "layer2"; control traffic (losses, hashes, agreement) is "control", introspection "probe"
  std::string collective;     ///< "allreduce", "allgatherv", ...
  std::int64_t messages = 0;  ///< collectives posted; one that carries several parts counts at the first of them
  std::int64_t payload = 0;   ///< bytes this rank contributed
  double sent = 0;            ///< bytes this rank has to send by the best algorithm, see below
};

/// Counts what this rank puts on the wire, by part and collective. Entries stay where they are, in order of creation.
/// Bytes sent follow docs/theory (ring algorithms, S ranks, n = payload): all-reduce 2 (S-1)/S n, all-gather (S-1) n,
/// gather n from all but the root, message n, broadcast (S-1) n, all of it at the root. The sum over ranks is exact
/// whatever the algorithm; how it is split among them is the ring's, or, for a broadcast, a star's.
class Traffic {
 public:
  explicit Traffic(int ranks) : ranks_(ranks) {}

  TrafficEntry& entry(std::string_view part, std::string_view collective);
  void charge_allreduce(TrafficEntry& entry, std::int64_t bytes) const;
  void charge_allgather(TrafficEntry& entry, std::int64_t bytes) const;
  void charge_send(TrafficEntry& entry, std::int64_t bytes) const;
  void charge_broadcast(TrafficEntry& entry, std::int64_t bytes) const;  ///< at the root
  static void charge_gather(TrafficEntry& entry, std::int64_t bytes, bool root);

  std::deque<TrafficEntry> const& entries() const { return entries_; }

 private:
  int ranks_;
  std::deque<TrafficEntry> entries_;  // a deque: references stay valid
};

/// The closed forms, for `check` and for tests: bytes sent per rank for n bytes contributed.
double allreduce_bytes(int ranks, double n);
double allgather_bytes(int ranks, double n);

/// Bytes of all entries but the control and probe ones.
double exchanged_bytes(Traffic const& traffic);

}  // namespace minidad
