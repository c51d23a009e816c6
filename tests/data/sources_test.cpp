// SPDX-License-Identifier: BSD-3-Clause
// Every format on files that are written here, whole and broken.
#include <gtest/gtest.h>
#include <hdf5.h>

#include <cmath>
#include <limits>

#include "data/batch_loader.hpp"
#include "support/files.hpp"
#include "support/host_copy.hpp"

namespace minidad {

namespace {

std::vector<std::int32_t> host_labels(Labels const& label) {
  auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), label);
  return {host.data(), host.data() + host.extent(0)};
}

/// A subset as a network would see it, all samples in their order.
struct Loaded {
  DatasetSize size;
  std::vector<Real> input;
  std::vector<std::int32_t> label;
};
Loaded load(DataSettings const& settings, Subset subset = Subset::train) {
  ExecSpace const space;
  Loaded loaded{.size = dataset_size(settings, subset), .input = {}, .label = {}};
  auto const n = loaded.size.samples;
  BatchLoader const loader(read_dataset(space, settings, subset, 1, {n, [](std::size_t i) { return i; }}), settings, n);
  Matrix const input("minidad::test::input", n, loaded.size.shape.size());
  Labels const label("minidad::test::label", n * loaded.size.labels);
  loader.load_in_order(space, 0, input, label);
  loaded.input = host_copy(input);
  loaded.label = host_labels(label);
  return loaded;
}

void expect_near(std::vector<Real> const& found, std::vector<double> const& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], 8 * std::numeric_limits<Real>::epsilon() * (1 + std::abs(expected[i]))) << i;
}

/// A little-endian NPY file of format 1.
template <class T>
std::string npy_bytes(std::string const& type, std::string const& shape, std::vector<T> const& values,
                      std::string const& order = "False") {
  std::string header = "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': (" + shape + "), }";
  while ((header.size() + 11) % 64 != 0) header += ' ';
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size() & 255);
  bytes += static_cast<char>(header.size() >> 8);
  return bytes + header + std::string(reinterpret_cast<char const*>(values.data()), values.size() * sizeof(T));
}

class Sources : public testing::Test {
 protected:
  void expect_refused(std::vector<std::string> const& because) {
    expect_error(ExitCode::user, because, [&] { load(settings_); });
  }
  TemporaryFolder folder_;
  DataSettings settings_;
};

class CifarSource : public Sources {
 protected:
  CifarSource() { settings_.source = "cifar10"; }
  /// Pixel p of colour c is (p + 10 c + seed) mod 251.
  static std::string record(std::string const& labels, int seed) {
    std::string bytes = labels;
    for (int c = 0; c < 3; ++c)
      for (int p = 0; p < 1024; ++p) bytes += static_cast<char>((p + 10 * c + seed) % 251);
    return bytes;
  }
};

}  // namespace

TEST_F(CifarSource, PutsColoursSideBySide) {
  settings_.train_files = {folder_.write("one", record("\x03", 1) + record("\x09", 2)),
                           folder_.write("two", record("\x05", 3))};
  auto const found = load(settings_);
  EXPECT_EQ(found.size.samples, 3u);
  EXPECT_EQ(found.size.shape, (SampleShape{32, 32, 3}));
  EXPECT_EQ(found.size.classes, 10u);
  EXPECT_EQ(found.label, (std::vector<std::int32_t>{3, 9, 5}));
  for (std::size_t s = 0; s < 3; ++s)
    for (std::size_t p : {0u, 40u, 1023u})
      for (std::size_t c = 0; c < 3; ++c)
        EXPECT_NEAR(found.input[(s * 1024 + p) * 3 + c], static_cast<double>((p + 10 * c + s + 1) % 251) / 255, 1e-6);
}

TEST_F(CifarSource, TakesTheFineLabelOfAHundred) {
  settings_.source = "cifar100";
  settings_.train_files = {folder_.write("one", record("\x03\x63", 1))};
  auto const found = load(settings_);
  EXPECT_EQ(found.label, (std::vector<std::int32_t>{99}));
  EXPECT_EQ(found.size.classes, 100u);
}

TEST_F(CifarSource, RefusesWhatIsNone) {
  expect_refused({"data.source = \"cifar10\" needs data.train_files"});
  settings_.train_files = {folder_.write("cut", record("\x03", 1).substr(0, 3000))};
  expect_refused({"cut", "not whole records of 3073 bytes: 3000 remain after 0"});
  settings_.train_files = {folder_.write("empty", "")};
  expect_refused({"empty", "is empty"});
  settings_.train_files = {folder_.write("label", record("\x0a", 1))};
  expect_refused({"label", "label 10 of item 0"});
  settings_.classes = 7;
  expect_refused({"data.classes = 7", "10 classes"});
}

class NpySource : public Sources {
 protected:
  NpySource() {
    settings_.source = "npy";
    settings_.classes = 3;
    labels({0, 2});
  }
  void labels(std::vector<std::int64_t> const& values) {
    settings_.train_labels = folder_.write("labels", npy_bytes("<i8", std::to_string(values.size()) + ",", values));
  }
  void images(std::string const& bytes) { settings_.train_images = folder_.write("images", bytes); }
};

TEST_F(NpySource, TakesNumbersAsTheyAreAndBytesAsPixels) {
  images(npy_bytes<float>("<f4", "2, 3", {1, -2, 0.5f, 4, 5, 6}));
  auto found = load(settings_);
  EXPECT_EQ(found.size.shape, (SampleShape{.channels = 3}));
  EXPECT_EQ(found.label, (std::vector<std::int32_t>{0, 2}));
  expect_near(found.input, {1, -2, 0.5, 4, 5, 6});
  images(npy_bytes<double>("<f8", "2, 3", {1, -2, 0.5, 4, 5, 6}));
  expect_near(load(settings_).input, {1, -2, 0.5, 4, 5, 6});
  images(npy_bytes<std::int16_t>("<i2", "2, 2, 1", {1, -2, 300, 4}));
  found = load(settings_);
  EXPECT_EQ(found.size.shape, (SampleShape{.height = 2, .channels = 1}));
  expect_near(found.input, {1, -2, 300, 4});
  images(npy_bytes<std::uint8_t>("|u1", "2, 1, 2, 1", {0, 51, 102, 255}));
  found = load(settings_);
  EXPECT_EQ(found.size.shape, (SampleShape{.height = 1, .width = 2, .channels = 1}));
  expect_near(found.input, {0, 0.2, 0.4, 1});
}

TEST_F(NpySource, RefusesWhatItDoesNotRead) {
  images("GIF89a....................");
  expect_refused({"images", "not an NPY file"});
  images(npy_bytes<float>("<f4", "2, 3", {1, 2, 3, 4, 5, 6}, "True"));
  expect_refused({"images", "Fortran order"});
  images(npy_bytes<float>(">f4", "2, 3", {1, 2, 3, 4, 5, 6}));
  expect_refused({"images", "'>f4'", "<f4"});
  images(npy_bytes<float>("<f4", "2, 3", {1, 2, 3, 4, 5}));
  expect_refused({"images", "2 x 3", "but has"});
  images(npy_bytes<float>("<f4", "2, 3", {1, 2, 3, 4, 5, NAN}));
  expect_refused({"images", "item 1", "not finite"});
  images(npy_bytes<float>("<f4", "3, 1", {1, 2, 3}));
  expect_refused({"3 samples", "2 labels"});
  images(npy_bytes<float>("<f4", "2", {1, 2}));
  expect_refused({"images", "1 dimensions"});
  images(npy_bytes<float>("<f4", "2, 0", {}));
  expect_refused({"images", "is empty"});
  images(npy_bytes<float>("<f4", "4294967296, 4294967296", {1}));
  expect_refused({"images", "beyond any file"});
  images(npy_bytes<float>("<f4", "2, x", {1, 2}));
  expect_refused({"images", "not understood"});
  images(npy_bytes<float>("<f4", "-2, 1", {1, 2}));
  expect_refused({"images", "not understood"});
  images(std::string("\x93NUMPY\x01\x00\x02\x00{}", 12));
  expect_refused({"images", "not understood"});
  images(std::string("\x93NUMPY\x01\x00\xff\xff{", 11));
  expect_refused({"images", "too short"});
  images(npy_bytes<float>("<f4", "2, 3", {1, 2, 3, 4, 5, 6}));
  labels({0, 3});
  expect_refused({"labels", "label 3 of item 1"});
  labels({0, -1});
  expect_refused({"labels", "label -1 of item 1"});
  settings_.train_labels = folder_.write("labels", npy_bytes<std::uint64_t>("<u8", "2,", {0, ~std::uint64_t{0}}));
  expect_refused({"labels", "label -1 of item 1"});
  settings_.train_labels = folder_.write("labels", npy_bytes<float>("<f4", "2,", {0, NAN}));
  expect_refused({"labels", "not whole numbers"});
  settings_.classes = 0;
  expect_refused({"\"npy\" needs data.classes"});
}

class CsvSource : public Sources {
 protected:
  CsvSource() {
    settings_.source = "csv";
    settings_.classes = 3;
  }
  void file(std::string const& text) { settings_.train_files = {folder_.write("table.csv", text)}; }
};

TEST_F(CsvSource, ReadsNumbersAndLabels) {
  file("width,height,class\r\n1.5, -2e1,0\r\n+3,4,2\r\n\r\n5,6,1");
  auto found = load(settings_);
  EXPECT_EQ(found.size.samples, 3u);
  EXPECT_EQ(found.size.shape, (SampleShape{.channels = 2}));
  EXPECT_EQ(found.label, (std::vector<std::int32_t>{0, 2, 1}));
  expect_near(found.input, {1.5, -20, 3, 4, 5, 6});
  settings_.label_column = "first";
  file("2,1.5,-20\n1,3,4\n");
  found = load(settings_);
  EXPECT_EQ(found.label, (std::vector<std::int32_t>{2, 1}));
  expect_near(found.input, {1.5, -20, 3, 4});
}

TEST_F(CsvSource, NamesTheLineThatIsWrong) {
  file("1,2,0\n1,2\n");
  expect_refused({"table.csv:2", "has 2 numbers, lines before it have 3"});
  file("1,2,0\n1,x,0\n");
  expect_refused({"table.csv:2", "'x' is not a number"});
  file("1,2,0\n1,2,0.5\n");
  expect_refused({"table.csv:2", "label 0.5"});
  file("1,2,3\n");
  expect_refused({"label 3 of item 0"});
  file("1,nan,0\n");
  expect_refused({"item 0", "not finite"});
  file("0\n");
  expect_refused({"table.csv:1", "nothing but a label"});
  file("a,b,c\n");
  expect_refused({"table.csv", "no samples"});
  settings_.train_files = {"/nowhere/table.csv"};
  expect_refused({"/nowhere/table.csv", "No such file"});
}

TEST_F(CsvSource, IsStandardisedByChannelOverTheTrainingSamples) {
  file("1,5,7,0\n3,5,9,1\n5,5,11,2\n");
  settings_.test_files = {folder_.write("test.csv", "3,6,9,0\n")};
  settings_.standardise = true;
  double const d = std::sqrt(8.0 / 3);  // a column that never changes keeps its scale
  expect_near(load(settings_).input, {-2 / d, 0, -2 / d, 0, 0, 0, 2 / d, 0, 2 / d});
  expect_near(load(settings_, Subset::test).input, {0, 1, 0});
  settings_.train_limit = 2;  // those are all there are
  expect_near(load(settings_).input, {-1, 0, -1, 1, 0, 1});
}

class TsSource : public Sources {
 protected:
  TsSource() { settings_.source = "ts"; }
  void file(std::string const& text) {
    settings_.train_files = settings_.test_files = {folder_.write("series.ts", text)};
  }
  std::string const header_ =
      "# two dimensions\n@problemName Test\n@timeStamps false\n@classLabel true up down\n@data\n";
};

TEST_F(TsSource, ReadsSeriesThatEndTogether) {
  file(header_ + "1,2,3:10,20,30:down\n4,5:40,50:up\n");
  auto found = load(settings_);
  EXPECT_EQ(found.size.shape, (SampleShape{.height = 3, .channels = 2}));
  EXPECT_EQ(found.size.classes, 2u);
  EXPECT_EQ(found.label, (std::vector<std::int32_t>{1, 0}));
  expect_near(found.input, {1, 10, 2, 20, 3, 30, 0, 0, 4, 40, 5, 50});
  settings_.length = 4;
  EXPECT_EQ(load(settings_).size.shape.height, 4u);
  settings_.length = 0;  // as long as the longest of both subsets
  settings_.test_files = {folder_.write("test.ts", header_ + "1,2,3,4,5:1,2,3,4,5:up\n")};
  EXPECT_EQ(load(settings_).size.shape.height, 5u);
}

TEST_F(TsSource, NamesTheLineThatIsWrong) {
  file(header_ + "1,2:10,20:left\n");
  expect_refused({"series.ts:6", "'left' is not in the header"});
  file(header_ + "1,2:10:up\n");
  expect_refused({"series.ts:6", "dimension 2 has 1 steps, the first has 2"});
  file(header_ + "1,2:10,20:up\n1,2:up\n");
  expect_refused({"series.ts:7", "has 1 dimensions"});
  file(header_ + "1,?:10,20:up\n");
  expect_refused({"series.ts:6", "'?' is not a number"});
  file(header_);
  expect_refused({"series.ts", "no series"});
  file("1,2:up\n");
  expect_refused({"series.ts:1", "'@'"});
  file("@data\n1:up\n");
  expect_refused({"series.ts:1", "@classLabel"});
  file("@timeStamps true\n");
  expect_refused({"series.ts:1", "time stamps"});
  file(header_ + "1,2,3:4,5,6:up\n");
  settings_.length = 2;
  expect_refused({"3 steps", "data.length = 2"});
}

class TextSource : public Sources {
 protected:
  TextSource() {
    settings_.source = "text";
    settings_.context = 4;
    settings_.stride = 2;
    settings_.test_fraction = 0.5;
    settings_.train_files = {folder_.write("text", "abcdefghijklmnopqrst")};
  }
};

TEST_F(TextSource, IsWindowsAndTheBytesThatFollow) {
  auto const train = load(settings_), test = load(settings_, Subset::test);
  EXPECT_EQ(train.size.shape, (SampleShape{.height = 4}));
  EXPECT_EQ(train.size.labels, 4u);
  EXPECT_EQ(train.size.classes, 256u);
  EXPECT_EQ(train.size.samples, 3u);  // abcd, cdef, efgh of abcdefghij
  expect_near(train.input, {97, 98, 99, 100, 99, 100, 101, 102, 101, 102, 103, 104});
  EXPECT_EQ(train.label, (std::vector<std::int32_t>{98, 99, 100, 101, 100, 101, 102, 103, 102, 103, 104, 105}));
  EXPECT_EQ(test.size.samples, 2u);  // klmn, opqr
  expect_near(test.input, {107, 108, 109, 110, 111, 112, 113, 114});
  EXPECT_EQ(test.label.back(), 115);
}

TEST_F(TextSource, MayHaveATestOfItsOwn) {
  settings_.test_files = {folder_.write("other", "zyxwv")};
  EXPECT_EQ(load(settings_).size.samples, 8u);
  EXPECT_EQ(load(settings_, Subset::test).label, (std::vector<std::int32_t>{121, 120, 119, 118}));
}

TEST_F(TextSource, RefusesWhatIsTooShortAndWhatNeedsOneLabel) {
  settings_.train_files = {folder_.write("short", "abcdefgh")};
  expect_refused({"short", "4 bytes are too few for data.context = 4"});
  settings_.train_files = {folder_.write("text", "abcdefghijklmnopqrst")};
  settings_.split = "class";
  expect_refused({"data.split = \"class\"", "has 4"});
  settings_.split = "iid";
  settings_.standardise = true;
  expect_refused({"data.standardise"});
  settings_.standardise = false;
  settings_.flip = true;
  expect_refused({"data.flip"});
}

class Hdf5Source : public Sources {
 protected:
  Hdf5Source() {
    settings_.source = "hdf5";
    settings_.classes = 3;
  }
  std::string write(char const* name, std::vector<hsize_t> const& size, hid_t type, void const* values,
                    std::vector<std::int32_t> const& labels) {
    auto const path = folder_.path(name);
    hid_t const file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    put(file, "features", size, type, values);
    put(file, "labels", {labels.size()}, H5T_NATIVE_INT32, labels.data());
    H5Fclose(file);
    return path;
  }

 private:
  static void put(hid_t file, char const* name, std::vector<hsize_t> const& size, hid_t type, void const* values) {
    hid_t const space = H5Screate_simple(static_cast<int>(size.size()), size.data(), nullptr);
    hid_t const set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(set);
    H5Sclose(space);
  }
};

TEST_F(Hdf5Source, ReadsFilesOneAfterAnother) {
  double const one[] = {1, 2, 3, 4}, two[] = {5, 6};
  settings_.train_files = {write("one.h5", {2, 2}, H5T_NATIVE_DOUBLE, one, {0, 1}),
                           write("two.h5", {1, 2}, H5T_NATIVE_DOUBLE, two, {2})};
  auto const found = load(settings_);
  EXPECT_EQ(found.size.shape, (SampleShape{.channels = 2}));
  EXPECT_EQ(found.label, (std::vector<std::int32_t>{0, 1, 2}));
  expect_near(found.input, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(read_labels(ExecSpace(), settings_, Subset::train, 1), found.label);
}

TEST_F(Hdf5Source, TakesBytesAsPixels) {
  std::uint8_t const image[] = {0, 51, 102, 255};
  settings_.train_files = {write("one.h5", {1, 2, 2, 1}, H5T_NATIVE_UINT8, image, {1})};
  auto const found = load(settings_);
  EXPECT_EQ(found.size.shape, (SampleShape{.height = 2, .width = 2}));
  expect_near(found.input, {0, 0.2, 0.4, 1});
}

TEST_F(Hdf5Source, RefusesWhatIsNone) {
  double const values[] = {1, 2, 3, 4};
  settings_.train_files = {folder_.write("text.h5", "hello")};
  expect_refused({"text.h5"});
  settings_.train_files = {"/nowhere.h5"};
  expect_refused({"/nowhere.h5", "No such file"});
  settings_.train_files = {write("one.h5", {2, 2}, H5T_NATIVE_DOUBLE, values, {0, 1, 1})};
  expect_refused({"one.h5", "3 labels, but 2 samples"});
  settings_.train_files = {write("two.h5", {2, 2}, H5T_NATIVE_DOUBLE, values, {0, 1})};
  settings_.labels_name = "features";
  expect_refused({"two.h5", "labels have one dimension, not 2"});
  settings_.labels_name = "labels";
  settings_.features_name = "pixels";
  expect_refused({"two.h5", "pixels"});
  settings_.features_name = "features";
  settings_.train_files.push_back(write("three.h5", {1, 4}, H5T_NATIVE_DOUBLE, values, {1}));
  expect_refused({"three.h5", "not as in the files before it"});
}

// Whatever becomes of a file, it is read or refused with one line: every byte changed in three ways, and every length.
TEST_F(Sources, SurviveDamage) {
  struct Format {
    std::string source, name, bytes;
  };
  std::string cifar = "\x03" + std::string(3072, 'c');
  for (auto const& [source, name, bytes] :
       {Format{"npy", "images.npy", npy_bytes<float>("<f4", "2, 3", {1, -2, 0.5f, 4, 5, 6})},
        Format{"csv", "table.csv", "width,height,class\n1.5,-2e1,0\n3,4,2\n"},
        Format{"ts", "series.ts", "@problemName Test\n@classLabel true up down\n@data\n1,2:10,20:down\n4:40:up\n"},
        Format{"text", "text", "a text that is short"}, Format{"cifar10", "batch.bin", cifar}}) {
    auto settings = settings_;
    settings.source = source;
    settings.classes = source == "npy" || source == "csv" ? 3 : 0;
    settings.context = 4;
    settings.train_labels = folder_.write("labels", npy_bytes<std::int64_t>("<i8", "2,", {0, 2}));
    settings.train_images = folder_.path(name);
    settings.train_files = settings.test_files = {folder_.path(name)};
    folder_.write(name, bytes);
    load(settings);  // undamaged, it is fine
    std::size_t read = 0, refused = 0;
    auto const attempt = [&, &name = name](std::string const& damaged) {
      folder_.write(name, damaged);
      try {
        load(settings);
        ++read;
      } catch (Error const& error) {
        EXPECT_EQ(error.code(), ExitCode::user) << error.what();
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
        ++refused;
      }
    };
    auto const step = std::max<std::size_t>(1, bytes.size() / 200);
    for (std::size_t i = 0; i < bytes.size(); i += step) {
      for (char const bits : {'\x01', '\x10', '\x80'}) {
        auto damaged = bytes;
        damaged[i] = static_cast<char>(damaged[i] ^ bits);
        attempt(damaged);
      }
      attempt(bytes.substr(0, i));
    }
    EXPECT_GT(read, 0u) << source;
    EXPECT_GT(refused, 0u) << source;
  }
}

}  // namespace minidad
