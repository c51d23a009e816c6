// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Kokkos_Core.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/error.hpp"

namespace minidad {

/// What a piece of state is on several ranks, and so what becomes of it on another number of them.
enum class Scope {
  common,   ///< the same on all ranks
  own,      ///< each rank has one; rank r takes that of the former rank r % former ranks
  summand,  ///< each rank has a part of a sum; rank r takes the sum over former ranks f with f % ranks == r
  rows,     ///< each rank has some rows of one whole; they are dealt out anew, in order
  single    ///< one rank has it, the owner
};

enum class Scalar { float32, float64, int64, uint64 };
template <class T>
constexpr Scalar scalar_of() {
  if constexpr (std::is_same_v<T, float>) return Scalar::float32;
  if constexpr (std::is_same_v<T, double>) return Scalar::float64;
  if constexpr (std::is_same_v<T, std::int64_t>) return Scalar::int64;
  if constexpr (std::is_same_v<T, std::uint64_t>) return Scalar::uint64;
}
constexpr std::size_t bytes_of(Scalar scalar) { return scalar == Scalar::float32 ? 4 : 8; }

/// One array on the host, row-major. shape and data are this rank's.
struct StatePiece {
  std::string name;  ///< unique, with slashes: "exchange/layer0/start"
  Scope scope;
  Scalar scalar;
  std::vector<std::size_t> shape;
  void* data;
  int owner = -1;  ///< with Scope::single

  std::size_t size() const {
    std::size_t product = 1;
    for (auto const extent : shape) product *= extent;
    return product;
  }
};

/// Is shown all that a part must remember to go on as if it had never stopped, piece by piece, and saves it or loads it:
/// each part has one function
///   void visit_state(StateVisitor& visitor);
/// that does both, and so cannot forget a piece on one of the two ways. All ranks show the same pieces in the same
/// order. It is collective. What a piece loaded from a file may be is checked by the part that knows.
class StateVisitor {
 public:
  virtual ~StateVisitor() = default;
  virtual bool loading() const = 0;

  /// A view on host or device, contiguous and row-major.
  template <class View>
  void array(std::string_view name, Scope scope, View const& view) {
    std::vector<std::size_t> shape;
    for (unsigned d = 0; d < View::rank; ++d) shape.push_back(view.extent(d));
    show(name, scope, shape, view, -1);
  }
  /// A view that only rank `owner` has; `shape` is the same on all ranks.
  template <class View>
  void array_of_one(std::string_view name, int owner, std::vector<std::size_t> const& shape, View const& view) {
    show(name, Scope::single, shape, view, owner);
  }
  template <class T>
  void values_of_one(std::string_view name, int owner, T* data, std::size_t size) {
    visit({full(name), Scope::single, scalar_of<T>(), {size}, data, owner});
  }
  /// A plain array on the host.
  template <class T>
  void values(std::string_view name, Scope scope, T* data, std::size_t size) {
    visit({full(name), scope, scalar_of<T>(), {size}, data});
  }
  template <class T>
  void value(std::string_view name, Scope scope, T& value) {
    values(name, scope, &value, 1);
  }
  /// A count that is at most `most`.
  void count(std::string_view name, Scope scope, std::size_t& value, std::size_t most) {
    auto number = static_cast<std::int64_t>(value);
    this->value(name, scope, number);
    expect(number >= 0 && static_cast<std::size_t>(number) <= most,
           full(name) + " is " + std::to_string(number) + ", it must be from 0 to " + std::to_string(most));
    value = static_cast<std::size_t>(number);
  }
  /// Collective. What was loaded must make sense to the part that asked for it: otherwise all ranks throw the same
  /// AgreedError(user) with `what` is wrong.
  virtual void expect(bool ok, std::string const& what) { require(ok, what); }
  /// How many rows the arrays of Scope::rows that follow have on this rank: `mine`, or when loading what it is given.
  virtual std::size_t rows(std::string_view name, std::size_t mine) = 0;

 protected:
  virtual void visit(StatePiece const& piece) = 0;
  /// Whether the data of pieces stay unread.
  virtual bool only_shapes() const { return false; }
  /// Whether a piece stays as it is.
  virtual bool passes_over(std::string const& /*full_name*/) const { return false; }
  std::string full(std::string_view name) const { return prefix_ + std::string(name); }

 private:
  friend class StateGroup;
  template <class View>
  void show(std::string_view name, Scope scope, std::vector<std::size_t> const& shape, View const& view, int owner) {
    static_assert(std::is_same_v<typename View::array_layout, Kokkos::LayoutRight>, "row-major");
    require(view.span_is_contiguous(), "StateVisitor: gaps in an array");
    using T = typename View::non_const_value_type;
    StatePiece piece{full(name), scope, scalar_of<T>(), shape, nullptr, owner};
    if (passes_over(piece.name)) return;
    if (only_shapes()) return visit(piece);
    auto const host = Kokkos::create_mirror_view(Kokkos::HostSpace(), view);  // itself where the host can reach it
    if (!loading()) Kokkos::deep_copy(host, view);
    piece.data = host.data();
    visit(piece);
    if (loading()) Kokkos::deep_copy(view, host);
  }

  std::string prefix_;
};

/// While it lives, the pieces that are shown belong to this group.
class StateGroup {
 public:
  StateGroup(StateVisitor& visitor, std::string_view name) : visitor_(visitor), before_(visitor.prefix_.size()) {
    visitor.prefix_ += name;
    visitor.prefix_ += '/';
  }
  ~StateGroup() { visitor_.prefix_.resize(before_); }
  StateGroup(StateGroup const&) = delete;
  StateGroup& operator=(StateGroup const&) = delete;

 private:
  StateVisitor& visitor_;
  std::size_t before_;
};

}  // namespace minidad
