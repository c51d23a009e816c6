// SPDX-License-Identifier: BSD-3-Clause
// An exchange that minidad does not have, on its library:  mpirun -n 2 stretches DECK
#include <cstdio>

#include "comm/session.hpp"
#include "comm/sum_in_place.hpp"
#include "config/job.hpp"
#include "core/fill.hpp"
#include "core/for_each_element.hpp"

namespace minidad {

/// Each step sums one stretch of the gradient over all ranks, the next one in turn. What a rank's own gradient has
/// elsewhere it keeps and adds to the next one (error feedback), so that nothing is lost, only late.
/// Bytes sent per rank and step: those of dsgd over the number of stretches.
class Stretches final : public Exchange {
 public:
  Stretches(Communicator& comm, Parameters gradient, std::size_t n)
      : gradient_(std::move(gradient)), kept_("stretches::kept", gradient_.flat.extent(0)) {
    for (std::size_t i = 0, size = kept_.extent(0); i < n; ++i) {
      place_.emplace_back(size * i / n, size * (i + 1) / n);
      sum_.emplace_back(
          comm, Kokkos::subview(kept_, place_[i]),
          std::vector<SumInPlace::Part>{{"stretch" + std::to_string(i), place_[i].second - place_[i].first}});
    }
  }

  void reduce(BackwardWalk& walk, RowLayout const&) override {
    auto const& space = walk.space();
    for (; walk.next(); walk.propagate()) walk.form_gradient(gradient_.layer[walk.layer()]);
    auto const gradient = gradient_.flat, kept = kept_;
    for_each_element(
        "stretches::keep", space, 1, kept.extent(0),
        KOKKOS_LAMBDA(std::size_t, std::size_t i) { kept(i) += gradient(i); });
    sum_[turn_].start(space);
    fill(space, gradient, 0);
    sum_[turn_].finish(space);
    auto const stretch = Kokkos::subview(kept_, place_[turn_]);
    Kokkos::deep_copy(space, Kokkos::subview(gradient, place_[turn_]), stretch);
    fill(space, stretch, 0);
    turn_ = (turn_ + 1) % sum_.size();
  }

 private:
  Parameters gradient_;
  Vector kept_;
  std::vector<std::pair<std::size_t, std::size_t>> place_;
  std::vector<SumInPlace> sum_;
  std::size_t turn_ = 0;
};

}  // namespace minidad

int main(int argc, char** argv) {
  using namespace minidad;
  return run_session(argc, argv, [](Communicator& comm, int n, char** arguments) {
    ExecSpace const space;
    std::unique_ptr<Job> job;
    comm.agree([&] {
      if (n != 2) refuse("usage: stretches DECK");
      auto const settings = read_deck(arguments[1], {});
      job = std::make_unique<Job>(comm, space, settings, pose_problem(settings, comm.size()), [](auto const& parts) {
        return std::make_unique<Stretches>(parts.comm, parts.gradient, 4);
      });
    });
    auto const result = job->trainer.run({});
    if (comm.rank() == 0)
      std::printf("test accuracy %.2f %%, sent %.0f bytes per rank and step\n", 100 * result.test_accuracy,
                  result.bytes_per_step);
    return 0;
  });
}
