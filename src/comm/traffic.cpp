// SPDX-License-Identifier: BSD-3-Clause
#include "comm/traffic.hpp"

namespace minidad {

TrafficEntry& Traffic::entry(std::string_view part, std::string_view collective) {
  for (auto& known : entries_)
    if (known.part == part && known.collective == collective) return known;
  return entries_.emplace_back(TrafficEntry{.part = std::string(part), .collective = std::string(collective)});
}

void Traffic::charge_allreduce(TrafficEntry& entry, std::int64_t bytes) const {
  entry.payload += bytes;
  entry.sent += allreduce_bytes(ranks_, static_cast<double>(bytes));
}

void Traffic::charge_allgather(TrafficEntry& entry, std::int64_t bytes) const {
  entry.payload += bytes;
  entry.sent += allgather_bytes(ranks_, static_cast<double>(bytes));
}

void Traffic::charge_send(TrafficEntry& entry, std::int64_t bytes) const {
  entry.payload += bytes;
  entry.sent += static_cast<double>(bytes);
}

void Traffic::charge_broadcast(TrafficEntry& entry, std::int64_t bytes) const {
  entry.payload += bytes;
  entry.sent += (ranks_ - 1) * static_cast<double>(bytes);
}

void Traffic::charge_gather(TrafficEntry& entry, std::int64_t bytes, bool root) {
  entry.payload += bytes;
  entry.sent += root ? 0 : static_cast<double>(bytes);
}

double allreduce_bytes(int ranks, double n) { return 2.0 * (ranks - 1) * n / ranks; }
double allgather_bytes(int ranks, double n) { return (ranks - 1) * n; }

double exchanged_bytes(Traffic const& traffic) {
  double sum = 0;
  for (auto const& entry : traffic.entries())
    if (entry.part != "control" && entry.part != "probe") sum += entry.sent;
  return sum;
}

}  // namespace minidad
