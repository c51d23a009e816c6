// SPDX-License-Identifier: BSD-3-Clause
#include <fcntl.h>
#include <fmt/format.h>
#include <hdf5_hl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <span>

#include "io/checkpoint.hpp"
#include "io/fletcher32.hpp"
#include "io/placement.hpp"
#include "io/publish.hpp"
#include "io/seal.hpp"

// Rank 0 lays the file out with HDF5: names, shapes, and where each chunk will stand. Then every rank writes its chunks
// there, with their checksums, as plain bytes. HDF5's own parallel writing of filtered chunks reaches a third of the
// disk's speed (docs/checkpoints.md), and takes all ranks through one collective call per dataset.

namespace minidad {

namespace {

using Bytes = std::span<std::byte const>;

constexpr std::size_t checksum_bytes = 4;
constexpr std::size_t largest_chunk = (4 << 20) - checksum_bytes;  // with its checksum it ends where the next begins
constexpr std::size_t gathered_bytes = 1 << 10;  // what a rank has of a piece is sent to rank 0 rather than a chunk

/// A piece, and the chunks of its dataset.
struct Placed {
  StatePiece piece;
  std::vector<std::size_t> sizes;  // in the file
  Tiling tiling;                   // of one rank's part where each rank has chunks of its own, else of the dataset
  bool by_rank;
  std::size_t first_chunk;  // in the list of all chunks

  std::size_t parts() const { return by_rank ? sizes[0] : 1; }
  std::size_t chunks() const { return parts() * tiling.chunks(); }
  std::size_t chunk_bytes() const { return tiling.chunk_size() * bytes_of(piece.scalar); }
  std::vector<std::size_t> chunk_shape() const { return with_rank(tiling.chunk(), 1); }
  std::vector<std::size_t> origin(std::size_t chunk) const {
    return with_rank(tiling.origin(chunk % tiling.chunks()), chunk / tiling.chunks());
  }
  /// The first and last + 1 of the chunks that a rank writes.
  std::pair<std::size_t, std::size_t> of_rank(std::size_t rank, std::size_t ranks) const {
    auto const n = tiling.chunks();
    if (by_rank) return {rank * n, (rank + 1) * n};
    if (piece.scope == Scope::common) return {rank * n / ranks, (rank + 1) * n / ranks};
    auto const writer = piece.scope == Scope::single ? static_cast<std::size_t>(piece.owner) : 0;
    return {0, rank == writer ? n : 0};
  }

 private:
  std::vector<std::size_t> with_rank(std::vector<std::size_t> indices, std::size_t rank) const {
    if (by_rank) indices.insert(indices.begin(), rank);
    return indices;
  }
};

Placed place(StatePiece const& piece, std::size_t ranks, std::size_t most_rows, std::size_t first_chunk) {
  auto const sizes = sizes_in_file(piece, ranks, most_rows);
  auto const width = bytes_of(piece.scalar);
  std::size_t part = width;
  for (std::size_t d = 1; d < sizes.size(); ++d) part *= sizes[d];
  bool const by_rank = differs_by_rank(piece.scope) && sizes.size() > 1 && part > gathered_bytes;
  Tiling const tiling({sizes.begin() + (by_rank ? 1 : 0), sizes.end()}, largest_chunk / width);
  return {piece, sizes, tiling, by_rank, first_chunk};
}

/// What planning and writing have in common.
class Saver : public StateVisitor {
 public:
  explicit Saver(Communicator& comm) : comm_(comm), ranks_(static_cast<std::size_t>(comm.size())) {}
  bool loading() const final { return false; }
  std::size_t rows(std::string_view name, std::size_t mine) final {
    auto count = static_cast<std::int64_t>(mine);
    value(name, Scope::own, count);
    std::vector<std::int64_t> all(ranks_);
    comm_.all_gather(std::as_bytes(std::span(&count, 1)), std::as_writable_bytes(std::span(all)));
    most_rows_ = static_cast<std::size_t>(*std::max_element(all.begin(), all.end()));
    return mine;
  }

 protected:
  Communicator& comm_;
  std::size_t ranks_, most_rows_ = 0;
};

class Planner final : public Saver {
 public:
  using Saver::Saver;
  std::vector<Placed> pieces;
  std::size_t chunks = 0;

 private:
  bool only_shapes() const override { return true; }
  void visit(StatePiece const& piece) override {
    pieces.push_back(place(piece, ranks_, most_rows_, chunks));
    chunks += pieces.back().chunks();
  }
};

/// Datasets that are axes without values, as netCDF has them, so that each axis has a name and a length.
class Axes {
 public:
  explicit Axes(hid_t file) : file_(file) {}

  /// `of_ranks`: the first axis counts ranks.
  void attach(hid_t set, std::vector<std::size_t> const& sizes, bool of_ranks = false) {
    std::set<std::string> taken;  // two axes of one dataset must not share a scale
    for (std::size_t d = 0; d < sizes.size(); ++d) {
      auto name = d == 0 && of_ranks ? std::string("rank") : fmt::format("size_{}", sizes[d]);
      while (!taken.insert(name).second) name += "_again";
      create(name, sizes[d]);
      check_hdf5(H5DSattach_scale(set, open_dataset(file_, name).get(), static_cast<unsigned>(d)), name);
    }
  }

 private:
  void create(std::string const& name, std::size_t length) {
    if (!known_.insert(name).second) return;
    auto const space = simple_space({length});
    Handle const set(
        H5Dcreate2(file_, name.c_str(), H5T_IEEE_F32BE, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose,
        name);
    auto const label = fmt::format("This is a netCDF dimension but not a netCDF variable.{:>10}", length);
    check_hdf5(H5DSset_scale(set.get(), label.c_str()), name);
  }
  hid_t file_;
  std::set<std::string> known_;
};

std::vector<hsize_t> hdf5_sizes(std::vector<std::size_t> const& sizes) { return {sizes.begin(), sizes.end()}; }

void create_dataset(hid_t file, Placed const& placed, std::span<std::uint64_t> addresses) {
  auto const name = state_group + placed.piece.name;
  Handle const links(H5Pcreate(H5P_LINK_CREATE), H5Pclose, name),
      creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, name);
  auto const chunk = hdf5_sizes(placed.chunk_shape());
  check_hdf5(H5Pset_create_intermediate_group(links.get(), 1), name);
  check_hdf5(H5Pset_chunk(creation.get(), static_cast<int>(chunk.size()), chunk.data()), name);
  check_hdf5(H5Pset_fletcher32(creation.get()), name);
  check_hdf5(H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY), name);
  check_hdf5(H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER), name);
  auto const space = simple_space(hdf5_sizes(placed.sizes));
  Handle const set(H5Dcreate2(file, name.c_str(), file_type(placed.piece.scalar), space.get(), links.get(),
                              creation.get(), H5P_DEFAULT),
                   H5Dclose, name);
  for (std::size_t i = 0; i < placed.chunks(); ++i) {
    auto const origin = hdf5_sizes(placed.origin(i));
    unsigned filters = 0;
    haddr_t address = HADDR_UNDEF;
    hsize_t bytes = 0;
    check_hdf5(H5Dget_chunk_info_by_coord(set.get(), origin.data(), &filters, &address, &bytes), name);
    require(filters == 0 && address != HADDR_UNDEF && bytes == placed.chunk_bytes() + checksum_bytes,
            "write_checkpoint: HDF5 has not placed a chunk as expected");
#if !H5_VERSION_GE(1, 14, 4)  // those count from the end of the user block
    address += seal_block;
#endif
    addresses[placed.first_chunk + i] = address;
  }
}

/// Returns where each chunk will stand.
std::vector<std::uint64_t> lay_out(std::string const& path, Planner const& plan, Provenance const& provenance) {
  std::vector<std::uint64_t> addresses(plan.chunks);
  {
    auto file = create_file(path, RawData::left_out);
    for (auto const& placed : plan.pieces) create_dataset(file.get(), placed, addresses);
    close_file(file, path);
  }
  auto file = open_file(path);
  write_fixed_text_attribute(file.get(), "schema_name", checkpoint_schema);
  write_fixed_text_attribute(file.get(), "schema_version", checkpoint_version);
  Handle const origin(H5Gcreate2(file.get(), "provenance", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose, path);
  Axes axes(file.get());
  for (auto const& [name, text] : provenance) {
    write_fixed_text(origin.get(), name, text);
    axes.attach(open_dataset(origin.get(), name).get(), {1});
  }
  for (auto const& placed : plan.pieces)
    axes.attach(open_dataset(file.get(), state_group + placed.piece.name).get(), placed.sizes,
                differs_by_rank(placed.piece.scope));
  close_file(file, path);
  return addresses;
}

/// The part of a chunk that is made of whole words of the file.
struct Words {
  std::uint64_t begin, end;
};
Words words_of(std::uint64_t address, std::size_t bytes) { return {(address + 7) / 8 * 8, (address + bytes) / 8 * 8}; }

/// Writes this rank's chunks. A rank that fails goes on taking part, and complains in finish().
class Writer final : public Saver {
 public:
  Writer(Communicator& comm, std::string const& path, Planner const& plan, std::vector<std::uint64_t> const& addresses)
      : Saver(comm), path_(path), next_(plan.pieces.begin()), addresses_(addresses) {
    file_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file_ < 0) remember("opened");
  }
  ~Writer() override {
    if (file_ >= 0) ::close(file_);
  }

  /// Brings all to the disk. Throws Error(run_time) for the first thing that went wrong.
  void finish() {
    if (failure_.empty() && fsync(file_) != 0) remember("brought to disk");
    if (!failure_.empty()) throw Error(ExitCode::run_time, failure_);
  }
  /// Of the words that are all in this rank's chunks.
  std::uint64_t digest() const { return digest_; }

 private:
  void visit(StatePiece const& piece) override {
    auto const& placed = *next_++;
    require(placed.piece.name == piece.name, "write_checkpoint: the state changed while it was shown");
    Bytes mine(static_cast<std::byte const*>(piece.data), piece.size() * bytes_of(piece.scalar));
    std::vector<std::byte> all;
    if (differs_by_rank(piece.scope) && !placed.by_rank) mine = gather(piece, placed, mine, all);
    auto const rank = static_cast<std::size_t>(comm_.rank());
    auto const [first, last] = placed.of_rank(rank, ranks_);
    for (auto i = first; i < last; ++i) write_chunk(placed, i, mine);
  }

  /// The same size from each rank: rows are filled up.
  Bytes gather(StatePiece const& piece, Placed const& placed, Bytes mine, std::vector<std::byte>& all) {
    std::size_t part = bytes_of(piece.scalar);
    for (std::size_t d = 1; d < placed.sizes.size(); ++d) part *= placed.sizes[d];
    std::vector<std::byte> padded(mine.begin(), mine.end());
    padded.resize(part);
    all.resize(part * ranks_);
    comm_.all_gather(padded, all);
    return all;
  }

  void write_chunk(Placed const& placed, std::size_t chunk, Bytes data) {
    auto const stretch = placed.tiling.stretch(chunk % placed.tiling.chunks());
    auto const width = bytes_of(placed.piece.scalar);
    auto const begin = std::min(data.size(), stretch.begin * width);  // a rank with few rows has nothing to say at last
    auto const given = data.subspan(begin, std::min(data.size() - begin, stretch.size * width));
    buffer_.assign(placed.chunk_bytes(), std::byte{0});
    if (!given.empty()) std::memcpy(buffer_.data(), given.data(), given.size());
    auto const sum = fletcher32(buffer_);
    for (unsigned shift = 0; shift < 32; shift += 8) buffer_.push_back(static_cast<std::byte>(sum >> shift & 0xFF));
    auto const address = addresses_[placed.first_chunk + chunk];
    auto const [first, last] = words_of(address, buffer_.size());
    digest_ += digest_words(std::span(buffer_).subspan(first - address, last - first), first);
    put(buffer_, address);
  }

  void put(Bytes bytes, std::uint64_t address) {
    while (failure_.empty() && !bytes.empty()) {
      auto const done = pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(address));
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) return remember("written");
      bytes = bytes.subspan(static_cast<std::size_t>(done));
      address += static_cast<std::uint64_t>(done);
    }
  }
  void remember(char const* what) {
    if (failure_.empty()) failure_ = fmt::format("{} cannot be {}: {}", path_, what, std::strerror(errno));
  }

  std::string path_, failure_;
  std::vector<Placed>::const_iterator next_;
  std::vector<std::uint64_t> const& addresses_;
  std::vector<std::byte> buffer_;
  int file_;
  std::uint64_t digest_ = 0;
};

/// Of all that is not whole words of some chunk.
std::uint64_t digest_between_chunks(std::string const& path, Planner const& plan,
                                    std::vector<std::uint64_t> const& addresses) {
  std::vector<Words> chunks;
  for (auto const& placed : plan.pieces)
    for (std::size_t i = 0; i < placed.chunks(); ++i)
      chunks.push_back(words_of(addresses[placed.first_chunk + i], placed.chunk_bytes() + checksum_bytes));
  std::sort(chunks.begin(), chunks.end(), [](Words const& a, Words const& b) { return a.begin < b.begin; });
  std::uint64_t sum = 0, at = seal_block;
  for (auto const& [begin, end] : chunks) {
    if (begin > at) sum += digest_stretch(path, at, begin);
    at = std::max(at, end);
  }
  return sum + digest_stretch(path, at, std::filesystem::file_size(path));
}

void write_file(Communicator& comm, std::string const& path, Provenance const& provenance,
                std::function<void(StateVisitor&)> const& show) {
  Planner plan(comm);
  show(plan);
  std::vector<std::uint64_t> addresses(plan.chunks);
  bool const lays_out = comm.rank() == 0;
  comm.agree([&] {
    if (lays_out) addresses = lay_out(path, plan, provenance);
  });
  comm.broadcast(std::as_writable_bytes(std::span(addresses)));

  Writer writer(comm, path, plan, addresses);
  show(writer);
  comm.agree([&] { writer.finish(); });
  std::int64_t digest[1] = {static_cast<std::int64_t>(writer.digest())};  // sums wrap around
  comm.sum(std::span<std::int64_t>(digest));
  comm.agree([&] {
    if (lays_out)
      write_seal(path, static_cast<std::uint64_t>(digest[0]) + digest_between_chunks(path, plan, addresses));
  });
}

}  // namespace

void write_checkpoint(Communicator& comm, std::string const& path, Provenance const& provenance,
                      std::function<void(StateVisitor&)> const& show) {
  prepare_hdf5();
  auto const temporary = path + ".tmp";
  try {
    write_file(comm, temporary, provenance, show);
    verify_seal(comm, temporary);  // what the ranks meant to write is what is read
    comm.agree([&] {
      if (comm.rank() == 0) publish_file(temporary, path);
    });
  } catch (AgreedError const& error) {
    std::error_code status;
    if (comm.rank() == 0) std::filesystem::remove(temporary, status);
    throw AgreedError(ExitCode::run_time, fmt::format("checkpoint {}", error.what()));
  }
}

}  // namespace minidad
