// SPDX-License-Identifier: BSD-3-Clause
#include "exchange/merged_rows.hpp"

#include "linalg/rows.hpp"

namespace minidad {

namespace {

std::vector<int> children_of(int rank, int size, bool tree) {
  std::vector<int> children;
  if (tree)
    for (int bit = 1; bit < size && (rank & bit) == 0; bit *= 2) {
      if (rank + bit < size) children.push_back(rank + bit);
    }
  else if (rank == 0)
    for (int child = 1; child < size; ++child) children.push_back(child);
  return children;
}

CompressorSettings merging(CompressorSettings settings) {
  settings.epsilon = 0;
  settings.memory.period = 1;  // exact reductions grow with the cube of the rows
  // A few rows are reduced exactly in no time; the published code is reproduced as it is.
  if (settings.reducer.solver != "author") settings.reducer.solver = "qr";
  return settings;
}

}  // namespace

MergedRows::MergedRows(Communicator& comm, std::string const& part, std::string const& pattern,
                       CompressorSettings const& settings, ReducerShape const& shape, std::uint64_t seed)
    : width_(settings.width),
      in_(shape.in),
      out_(shape.out),
      children_(children_of(comm.rank(), comm.size(), pattern == "tree")),
      channel_(comm, part, settings.width, shape.in + shape.out),
      merge_(merging(settings), {shape.in, shape.out, (children_.size() + 1) * width_, 0}, seed) {
  if (comm.rank() > 0) parent_ = pattern == "tree" ? comm.rank() & (comm.rank() - 1) : 0;
  auto const rows = (children_.size() + 1) * width_;
  stacked_ = {Matrix("minidad::exchange::merged_input", rows, in_),
              Matrix("minidad::exchange::merged_delta", rows, out_)};
}

Factors MergedRows::unpacked(Matrix const& rows) const {
  return {columns_of(rows, 0, in_), columns_of(rows, in_, in_ + out_)};
}

Factors MergedRows::operator()(ExecSpace const& space, Factors const& mine) {
  auto const packed = channel_.rows(width_);
  auto result = mine;
  if (!children_.empty()) {
    std::size_t next = 0;
    auto const add = [&](Factors const& rows) {
      copy_rows(space, rows, rows_of(stacked_, next, next + rows.rows()));
      next += rows.rows();
    };
    add(mine);
    for (int const child : children_) {  // always in this order: the result is reproducible
      channel_.receive(space, child, width_);
      add(unpacked(packed));
    }
    result = merge_(space, first_rows(stacked_, next));
  }
  pack_rows(space, result.input, result.delta, packed);
  if (parent_ >= 0) channel_.send(space, parent_, width_);
  channel_.broadcast(space, 0, width_);
  return unpacked(packed);
}

void MergedRows::visit_state(StateVisitor& visitor, RowCompressor& own) {
  StateGroup const group(visitor, "merging");
  merge_.visit_state(visitor);
  if (visitor.loading() && children_.empty()) own.adopt(ExecSpace(), merge_.give_up_kept());
}

}  // namespace minidad
