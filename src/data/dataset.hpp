// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/sample_shape.hpp"
#include "core/types.hpp"

namespace minidad {

struct DataSettings {
  std::string source = "idx";  ///< one of data_source_names
  // idx, npy
  std::string train_images = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz";
  std::string train_labels = "/usr/share/datasets/fashion-mnist/train-labels-idx1-ubyte.gz";
  std::string test_images = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz";
  std::string test_labels = "/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz";
  // cifar10, cifar100, csv, hdf5, ts, text: one after another
  std::vector<std::string> train_files{}, test_files{};
  std::int64_t classes = 0;  ///< 0: as many as the source has by itself, see dataset_size
  double mean = 0;           ///< features are (x - mean) / deviation, where x is byte / 255 or a number as it is
  double deviation = 1;
  bool standardise = false;           ///< mean and deviation are those of each channel, over all training samples
  std::int64_t shift = 0;             ///< pixels by which training images are moved at most, see BatchLoader
  bool flip = false;                  ///< whether they are mirrored at random
  std::int64_t train_limit = 0;       ///< use only the first so many training samples; 0: all
  std::string split = "iid";          ///< which training samples a rank gets, see training_share
  double skew = 0.8;                  ///< "skewed"
  double alpha = 0.5;                 ///< "dirichlet"
  std::string label_column = "last";  ///< csv: "first" or "last"
  std::string features_name = "features", labels_name = "labels";  ///< hdf5: datasets
  std::int64_t length = 0;                                         ///< ts: of all series; 0: that of the longest one
  // text
  std::int64_t context = 128;  ///< bytes of a sample
  std::int64_t stride = 128;   ///< bytes from one training sample to the next
  double test_fraction = 0.1;  ///< of the text, at its end, where there are no test_files
  // synthetic
  std::int64_t features = 784;
  std::int64_t train_samples = 60000;
  std::int64_t test_samples = 10000;
};

inline constexpr std::array<char const*, 9> data_source_names{"idx",  "cifar10", "cifar100", "npy",      "csv",
                                                              "hdf5", "ts",      "text",     "synthetic"};
inline constexpr std::array<char const*, 4> data_split_names{"iid", "class", "skewed", "dirichlet"};
inline constexpr std::array<char const*, 2> label_column_names{"first", "last"};

/// The samples one rank keeps: as bytes where files hold bytes, turned to numbers when a batch is put together.
struct Dataset {
  ByteMatrix features;  ///< (samples, width), or
  Matrix numbers;       ///< likewise; the other one is empty
  Labels label;         ///< (samples labels)
  SampleShape shape;    ///< of a sample
  std::size_t labels;   ///< of a sample
  Vector gain, offset;  ///< an input of the network is gain x + offset; one for all channels, or one for each
  std::size_t samples() const { return label.extent(0) / labels; }
  std::size_t width() const { return shape.size(); }
};

/// What a data set is as a whole, known before its samples are read.
struct DatasetSize {
  std::size_t samples = 0;
  SampleShape shape{};
  std::size_t labels = 1;        ///< of a sample: 1, or one a place
  std::size_t classes = 0;       ///< labels are 0 ... classes - 1
  std::size_t sample_bytes = 0;  ///< of its features in memory
};

enum class Subset { train, test };

/// Throws Error(user) naming the file: missing, of another format, types or dimensions that are not read, parts that do
/// not match; and naming the setting that does not go with what the files hold.
DatasetSize dataset_size(DataSettings const& settings, Subset subset);

/// Reads the samples for which `keep(i)` gives a place: sample i goes to place(i) of `count` places. Throws Error(user)
/// naming the file for truncated or overlong data, labels outside [0, classes) and numbers that are not finite.
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
