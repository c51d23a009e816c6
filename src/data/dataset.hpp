// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/types.hpp"

namespace minidad {

struct DataSettings {
  std::string source = "idx";  ///< "idx" or "synthetic"
  std::string train_images = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz";
  std::string train_labels = "/usr/share/datasets/fashion-mnist/train-labels-idx1-ubyte.gz";
  std::string test_images = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz";
  std::string test_labels = "/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz";
  std::int64_t classes = 10;
  double mean = 0;  ///< features are (byte / 255 - mean) / deviation
  double deviation = 1;
  std::int64_t train_limit = 0;  ///< use only the first so many training samples; 0: all
  std::string split = "iid";     ///< which training samples a rank gets, see training_share
  // synthetic only
  std::int64_t features = 784;
  std::int64_t train_samples = 60000;
  std::int64_t test_samples = 10000;
};

inline constexpr std::array<char const*, 2> data_source_names{"idx", "synthetic"};
inline constexpr std::array<char const*, 2> data_split_names{"iid", "class"};

/// The samples one rank keeps: features as bytes, turned to numbers when a batch is put together.
struct Dataset {
  ByteMatrix features;  ///< (samples, width)
  Labels label;         ///< (samples)
  std::size_t samples() const { return label.extent(0); }
  std::size_t width() const { return features.extent(1); }
};

/// How large a data set is as a whole, known from its headers before anything is read.
struct DatasetSize {
  std::size_t samples = 0, width = 0;
};

enum class Subset { train, test };

/// Throws Error(user) naming the file: missing, not IDX, wrong type or dimensions, images and labels that do not match.
DatasetSize dataset_size(DataSettings const& settings, Subset subset);

/// Reads the samples for which `keep(i)` gives a place: sample i goes to place(i) of `count` places. Throws Error(user)
/// naming the file for truncated or overlong data and for labels outside [0, classes).
struct Keep {
  std::size_t count;
  /// The place of sample i, or `count` to leave it out.
  std::function<std::size_t(std::size_t sample)> place;
};
Dataset read_dataset(ExecSpace const& space, DataSettings const& settings, Subset subset, std::uint64_t seed,
                     Keep const& keep);

/// The labels of all samples of the subset, to choose by: of an IDX pair only the small file is read; synthetic samples
/// are generated piece by piece and dropped. Throws Error(user) as read_dataset does.
std::vector<std::int32_t> read_labels(ExecSpace const& space, DataSettings const& settings, Subset subset,
                                      std::uint64_t seed);

}  // namespace minidad
