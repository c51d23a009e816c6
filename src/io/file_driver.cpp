// SPDX-License-Identifier: BSD-3-Clause
#include "io/file_driver.hpp"

#if __has_include(<H5FDdevelop.h>)
#include <H5FDdevelop.h>
#endif

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.hpp"

namespace minidad {

namespace {

int failure = 0;  // errno of the first one

/// A file of HDF5's POSIX driver, which does the work.
struct WrittenFile {
  H5FD_t base;  // HDF5's; must come first
  H5FD_t* file;
  RawData raw_data;
};

H5FD_t* under(H5FD_t const* file) { return reinterpret_cast<WrittenFile const*>(file)->file; }

herr_t remembered(herr_t status) {
  if (status < 0 && failure == 0) failure = errno != 0 ? errno : EIO;
  return 0;
}

template <RawData raw_data>
H5FD_t* open(char const* name, unsigned flags, hid_t, haddr_t) {
  hid_t const access = H5Pcreate(H5P_FILE_ACCESS);
  auto* const file = H5Pset_fapl_sec2(access) < 0 ? nullptr : H5FDopen(name, flags, access, HADDR_UNDEF);
  H5Pclose(access);
  return file == nullptr ? nullptr : &(new WrittenFile{{}, file, raw_data})->base;
}

herr_t close(H5FD_t* file) {
  remembered(H5FDclose(under(file)));
  delete reinterpret_cast<WrittenFile*>(file);
  return 0;
}

herr_t write(H5FD_t* file, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size, void const* data) {
  bool const left_out = reinterpret_cast<WrittenFile*>(file)->raw_data == RawData::left_out;
  return left_out && type == H5FD_MEM_DRAW ? 0
                                           : remembered(H5FDwrite(under(file), type, transfer, address, size, data));
}

H5FD_class_t make_driver(char const* name, int number, decltype(H5FD_class_t::open) open_file) {
  H5FD_class_t driver{};
#ifdef H5FD_CLASS_VERSION  // since 1.14
  driver.version = H5FD_CLASS_VERSION;
  driver.value = static_cast<H5FD_class_value_t>(H5_VFD_RESERVED + number);
#else
  (void)number;
#endif
  driver.name = name;
  driver.maxaddr = haddr_t{1} << 62;
  driver.fc_degree = H5F_CLOSE_WEAK;
  driver.open = open_file;
  driver.close = close;
  driver.query = [](H5FD_t const* file, unsigned long* flags) -> herr_t {
    if (file != nullptr) return H5FDquery(under(file), flags) < 0 ? -1 : 0;
    *flags = 0;
    return 0;
  };
  driver.get_eoa = [](H5FD_t const* file, H5FD_mem_t type) { return H5FDget_eoa(under(file), type); };
  driver.set_eoa = [](H5FD_t* file, H5FD_mem_t type, haddr_t address) {
    return H5FDset_eoa(under(file), type, address);
  };
  driver.get_eof = [](H5FD_t const* file, H5FD_mem_t type) { return H5FDget_eof(under(file), type); };
  driver.read = [](H5FD_t* file, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size, void* data) {
    return H5FDread(under(file), type, transfer, address, size, data);
  };
  driver.write = write;
  driver.truncate = [](H5FD_t* file, hid_t transfer, hbool_t closing) {
    return remembered(H5FDtruncate(under(file), transfer, closing));
  };
  driver.lock = [](H5FD_t* file, hbool_t writes) { return H5FDlock(under(file), writes); };
  driver.unlock = [](H5FD_t* file) { return H5FDunlock(under(file)); };
  H5FD_mem_t const map[] = H5FD_FLMAP_DICHOTOMY;  // metadata and raw data each stay together
  for (int type = 0; type < H5FD_MEM_NTYPES; ++type) driver.fl_map[type] = map[type];
  return driver;
}

}  // namespace

void use_file_driver(hid_t access, RawData raw_data) {
  static H5FD_class_t const writing = make_driver("minidad_writing", 1, open<RawData::written>);
  static H5FD_class_t const layout = make_driver("minidad_layout", 2, open<RawData::left_out>);
  static hid_t const ids[] = {H5FDregister(&writing), H5FDregister(&layout)};
  if (H5Pset_driver(access, ids[raw_data == RawData::left_out ? 1 : 0], nullptr) < 0)
    throw Error(ExitCode::run_time, "HDF5 does not take minidad's file driver");
  errno = 0;
}

void expect_written(std::string const& path) {
  if (int const reason = std::exchange(failure, 0); reason != 0)
    throw Error(ExitCode::run_time, fmt::format("{} cannot be written: {}", path, std::strerror(reason)));
}

}  // namespace minidad
