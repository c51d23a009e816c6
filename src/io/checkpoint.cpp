// SPDX-License-Identifier: BSD-3-Clause
#include "io/checkpoint.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <span>

#include "io/file_tree.hpp"
#include "io/hdf5.hpp"
#include "io/placement.hpp"
#include "io/seal.hpp"

// A file may come from anywhere. So nothing in it is followed (links, external storage, plug-ins), nothing is allocated
// by what it says before that is known to be asked for, and each dataset must be what minidad would have written.

namespace minidad {

namespace {

constexpr hsize_t longest_text = 1 << 20;

/// Every part of the path must be an ordinary link, so that nothing leads out of the file or around in it.
void expect_plain_path(hid_t file, std::string const& name) {
  for (std::size_t end = name.find('/', 1);; end = name.find('/', end + 1)) {
    auto const part = name.substr(0, end);
    H5L_info_t info;
    if (H5Lexists(file, part.c_str(), H5P_DEFAULT) <= 0) refuse(fmt::format("{} is missing", name));
    check_hdf5(H5Lget_info(file, part.c_str(), &info, H5P_DEFAULT), name);
    if (info.type != H5L_TYPE_HARD) refuse(fmt::format("{} is a link to somewhere else", part));
    if (end == std::string::npos) return;
  }
}

Handle open_plain_dataset(hid_t file, std::string const& name) {
  expect_plain_path(file, name);
  Handle const object(H5Oopen(file, name.c_str(), H5P_DEFAULT), H5Oclose, name);
  if (H5Iget_type(object.get()) != H5I_DATASET) refuse(fmt::format("{} is not a dataset", name));
  return open_dataset(file, name);
}

std::vector<std::size_t> sizes_of(hid_t set, std::string const& name) {
  Handle const space(H5Dget_space(set), H5Sclose, name);
  int const axes = H5Sget_simple_extent_ndims(space.get());
  if (axes < 0) refuse(fmt::format("{} has no shape", name));
  std::vector<hsize_t> sizes(static_cast<std::size_t>(axes));
  check_hdf5(H5Sget_simple_extent_dims(space.get(), sizes.data(), nullptr), name);
  return {sizes.begin(), sizes.end()};
}

/// Chunks with checksums in this very file, and nothing else.
void expect_plain_storage(hid_t set, std::string const& name) {
  Handle const creation(H5Dget_create_plist(set), H5Pclose, name);
  unsigned flags = 0;
  std::size_t none = 0;
  bool const plain =
      H5Pget_layout(creation.get()) == H5D_CHUNKED && H5Pget_nfilters(creation.get()) == 1 &&
      H5Pget_filter2(creation.get(), 0, &flags, &none, nullptr, 0, nullptr, nullptr) == H5Z_FILTER_FLETCHER32;
  if (!plain) refuse(fmt::format("{} is not stored in chunks with nothing but fletcher32", name));
}

void expect_type(hid_t set, Scalar scalar, std::string const& name) {
  Handle const type(H5Dget_type(set), H5Tclose, name);
  if (H5Tequal(type.get(), file_type(scalar)) > 0) return;
  bool const real = H5Tget_class(type.get()) == H5T_FLOAT;
  refuse(fmt::format("{} is not of the type that this program computes with ({}{})", name,
                     real ? "a floating-point number of other size" : "another kind of value",
                     real ? "; was it built with another MINIDAD_REAL?" : ""));
}

std::string read_fixed_text(hid_t file, std::string const& name) {
  auto const set = open_plain_dataset(file, name);
  Handle const type(H5Dget_type(set.get()), H5Tclose, name), creation(H5Dget_create_plist(set.get()), H5Pclose, name);
  auto const length = H5Tget_size(type.get());
  bool const text = H5Tget_class(type.get()) == H5T_STRING && H5Tis_variable_str(type.get()) == 0;
  bool const own = H5Pget_external_count(creation.get()) == 0 && H5Pget_layout(creation.get()) != H5D_VIRTUAL;
  if (!text || !own || sizes_of(set.get(), name) != std::vector<std::size_t>{1} || length > longest_text)
    refuse(fmt::format("{} is not a text of at most {} bytes", name, longest_text));
  std::string value(length, '\0');
  check_hdf5(H5Dread(set.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, value.data()), name);
  return until_null(value);
}

/// The names in /provenance.
std::vector<std::string> names_in(hid_t file, std::string const& path) {
  expect_plain_path(file, path);
  Handle const group(H5Gopen2(file, path.c_str(), H5P_DEFAULT), H5Gclose, path);
  std::vector<std::string> names;
  check_hdf5(H5Literate(
                 group.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr,
                 [](hid_t, char const* name, H5L_info_t const*, void* list) -> herr_t {
                   static_cast<std::vector<std::string>*>(list)->emplace_back(name);
                   return 0;
                 },
                 &names),
             path);
  return names;
}

void expect_checkpoint(hid_t file) {
  auto const name = root_text(file, "schema_name"), version = root_text(file, "schema_version");
  if (name != checkpoint_schema) refuse(fmt::format("it is not a {} file", checkpoint_schema));
  if (!version.starts_with("1.")) refuse(fmt::format("schema version {} is not known, only 1", version));
}

/// A block of a dataset.
struct Block {
  std::vector<std::size_t> begin, size;
  std::size_t elements() const {
    return std::accumulate(size.begin(), size.end(), std::size_t{1}, std::multiplies<>());
  }
};

void read_block(hid_t set, std::string const& name, Block const& block, Scalar scalar, void* data) {
  if (block.elements() == 0) return;
  Handle const space(H5Dget_space(set), H5Sclose, name);
  std::vector<hsize_t> const begin(block.begin.begin(), block.begin.end()), size(block.size.begin(), block.size.end());
  check_hdf5(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, begin.data(), nullptr, size.data(), nullptr), name);
  auto const memory = simple_space(size);
  check_hdf5(H5Dread(set, memory_type(scalar), memory.get(), space.get(), H5P_DEFAULT, data), name);
}

template <class T>
void add(void* sum, void const* more, std::size_t count) {
  auto* const to = static_cast<T*>(sum);
  auto const* const from = static_cast<T const*>(more);
  for (std::size_t i = 0; i < count; ++i) to[i] += from[i];
}
void add(Scalar scalar, void* sum, void const* more, std::size_t count) {
  switch (scalar) {
    case Scalar::float32: return add<float>(sum, more, count);
    case Scalar::float64: return add<double>(sum, more, count);
    case Scalar::int64: return add<std::int64_t>(sum, more, count);
    case Scalar::uint64: return add<std::uint64_t>(sum, more, count);
  }
}

class Loader final : public StateVisitor {
 public:
  /// `bytes`: the file's, which bounds what it can hold.
  Loader(Communicator& comm, hid_t file, std::uint64_t bytes, int former, std::vector<std::string> const& passed_over)
      : comm_(comm),
        file_(file),
        rank_(static_cast<std::size_t>(comm.rank())),
        ranks_(static_cast<std::size_t>(comm.size())),
        former_(static_cast<std::size_t>(former)),
        most_rows_(static_cast<std::int64_t>(bytes / sizeof(Real))),
        passed_over_(passed_over) {}
  bool loading() const override { return true; }
  void expect(bool ok, std::string const& what) override {
    comm_.agree([&] {
      if (!ok) refuse(what);
    });
  }

  std::size_t rows(std::string_view name, std::size_t mine) override {
    if (passes_over(full(name))) return mine;
    auto const path = state_group + full(name);
    comm_.agree([&] {
      auto const set = open_piece({full(name), Scope::own, Scalar::int64, {1}, nullptr});
      std::vector<std::int64_t> counts(former_);
      read_block(set.get(), path, {{0}, {former_}}, Scalar::int64, counts.data());
      former_rows_ = {0};
      for (auto const count : counts) {
        if (count < 0 || count > most_rows_) refuse(fmt::format("{} counts {} rows", path, count));
        former_rows_.push_back(former_rows_.back() + static_cast<std::size_t>(count));
      }
    });
    if (former_ == ranks_) return set_rows(former_rows_[rank_], former_rows_[rank_ + 1]);
    auto const all = former_rows_.back();
    return set_rows(all * rank_ / ranks_, all * (rank_ + 1) / ranks_);
  }

 private:
  std::size_t set_rows(std::size_t begin, std::size_t end) {
    rows_begin_ = begin;
    rows_end_ = end;
    return end - begin;
  }
  bool passes_over(std::string const& name) const override {
    return std::any_of(passed_over_.begin(), passed_over_.end(),
                       [&](std::string const& group) { return name.starts_with(group + "/"); });
  }

  /// Refuses what is not of the piece's type and sizes.
  Handle open_piece(StatePiece const& piece) const {
    auto const name = state_group + piece.name;
    auto set = open_plain_dataset(file_, name);
    expect_plain_storage(set.get(), name);
    expect_type(set.get(), piece.scalar, name);
    auto const expected = sizes_in_file(piece, former_, most_former_rows()), found = sizes_of(set.get(), name);
    if (found != expected)
      refuse(fmt::format("{} is {}, not {}", name, fmt::join(found, " x "), fmt::join(expected, " x ")));
    return set;
  }
  std::size_t most_former_rows() const {
    std::size_t most = 0;
    for (std::size_t f = 0; f + 1 < former_rows_.size(); ++f)
      most = std::max(most, former_rows_[f + 1] - former_rows_[f]);
    return most;
  }

  void visit(StatePiece const& piece) override {
    if (passes_over(piece.name)) return;
    bool const from_one = piece.scope == Scope::common;
    comm_.agree([&] {
      if (from_one && rank_ != 0) return;
      if (piece.scope == Scope::single && static_cast<int>(rank_) != piece.owner) return;
      auto const set = open_piece(piece);
      read(set.get(), piece);
    });
    if (from_one) comm_.broadcast({static_cast<std::byte*>(piece.data), piece.size() * bytes_of(piece.scalar)});
  }

  void read(hid_t set, StatePiece const& piece) const {
    auto const name = state_group + piece.name;
    auto const whole = [&](void* data) {
      read_block(set, name, {std::vector<std::size_t>(piece.shape.size(), 0), piece.shape}, piece.scalar, data);
    };
    auto const former = [&](std::size_t f, void* data) {
      auto const axes = sizes_of(set, name);  // checked
      Block block{std::vector<std::size_t>(axes.size(), 0), axes};
      block.begin[0] = f;
      block.size[0] = 1;
      read_block(set, name, block, piece.scalar, data);
    };
    switch (piece.scope) {
      case Scope::common:
      case Scope::single: return whole(piece.data);
      case Scope::own: return former(rank_ % former_, piece.data);
      case Scope::summand: return read_sum(piece, former);
      case Scope::rows: return read_rows(set, piece);
    }
  }

  template <class F>
  void read_sum(StatePiece const& piece, F const& former) const {
    std::vector<std::byte> more(former_ > ranks_ ? piece.size() * bytes_of(piece.scalar) : 0);
    if (rank_ >= former_) return fill_zero(piece);
    former(rank_, piece.data);
    for (auto f = rank_ + ranks_; f < former_; f += ranks_) {
      former(f, more.data());
      add(piece.scalar, piece.data, more.data(), piece.size());
    }
  }
  static void fill_zero(StatePiece const& piece) {
    std::fill_n(static_cast<std::byte*>(piece.data), piece.size() * bytes_of(piece.scalar), std::byte{0});
  }

  /// Rows [rows_begin_, rows_end_) of all, which may be those of several former ranks.
  void read_rows(hid_t set, StatePiece const& piece) const {
    auto const cols = piece.shape[1];
    auto* to = static_cast<std::byte*>(piece.data);
    for (std::size_t f = 0; f < former_; ++f) {
      auto const begin = std::max(rows_begin_, former_rows_[f]), end = std::min(rows_end_, former_rows_[f + 1]);
      if (begin >= end) continue;
      read_block(set, state_group + piece.name, {{f, begin - former_rows_[f], 0}, {1, end - begin, cols}}, piece.scalar,
                 to);
      to += (end - begin) * cols * bytes_of(piece.scalar);
    }
  }

  Communicator& comm_;
  hid_t file_;
  std::size_t rank_, ranks_, former_;
  std::int64_t most_rows_;
  std::vector<std::string> const& passed_over_;
  std::vector<std::size_t> former_rows_{0};  // offsets
  std::size_t rows_begin_ = 0, rows_end_ = 0;
};

}  // namespace

struct Checkpoint::File {
  Handle handle;
};

Checkpoint::Checkpoint(Communicator& comm, std::string path) : comm_(comm), path_(std::move(path)) {
  prepare_hdf5();
  verify_seal(comm_, path_);
  comm_.agree([&] {
    try {
      file_ = std::make_unique<File>(File{open_to_read(path_)});
      auto const file = file_->handle.get();
      expect_checkpoint(file);
      for (auto const& name : names_in(file, "/provenance"))
        texts_[name] = read_fixed_text(file, "/provenance/" + name);
      auto const& ranks = text("ranks");
      ranks_ = std::atoi(ranks.c_str());
      if (ranks_ < 1 || ranks_ > 1 << 24) refuse(fmt::format("it is of {} ranks", ranks));
    } catch (Error const& error) {
      refuse(fmt::format("{}: {}", path_, error.what()));
    }
  });
}

Checkpoint::~Checkpoint() = default;

int Checkpoint::ranks() const { return ranks_; }

std::string const& Checkpoint::text(std::string const& name) const {
  auto const found = texts_.find(name);
  if (found == texts_.end()) refuse(fmt::format("{}: /provenance/{} is missing", path_, name));
  return found->second;
}

void Checkpoint::load(std::function<void(StateVisitor&)> const& show, std::vector<std::string> const& passed_over) {
  Loader loader(comm_, file_->handle.get(), std::filesystem::file_size(path_), ranks_, passed_over);
  try {
    show(loader);
  } catch (AgreedError const& error) {
    throw AgreedError(ExitCode::user, fmt::format("{}: {}", path_, error.what()));
  }
}

}  // namespace minidad
