// SPDX-License-Identifier: BSD-3-Clause
#include "io/layout_driver.hpp"

#if __has_include(<H5FDdevelop.h>)
#include <H5FDdevelop.h>
#endif

#include <new>

namespace minidad {

namespace {

/// A file of HDF5's POSIX driver, which does everything but write raw data.
struct LayoutFile {
  H5FD_t base;  // HDF5's; must come first
  H5FD_t* file;
};

H5FD_t* under(H5FD_t const* file) { return reinterpret_cast<LayoutFile const*>(file)->file; }

H5FD_t* open(char const* name, unsigned flags, hid_t, haddr_t) {
  hid_t const access = H5Pcreate(H5P_FILE_ACCESS);
  auto* const file = H5Pset_fapl_sec2(access) < 0 ? nullptr : H5FDopen(name, flags, access, HADDR_UNDEF);
  H5Pclose(access);
  if (file == nullptr) return nullptr;
  return &(new LayoutFile{{}, file})->base;
}

herr_t close(H5FD_t* file) {
  auto const status = H5FDclose(under(file));
  delete reinterpret_cast<LayoutFile*>(file);
  return status;
}

herr_t write(H5FD_t* file, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size, void const* data) {
  return type == H5FD_MEM_DRAW ? 0 : H5FDwrite(under(file), type, transfer, address, size, data);
}

H5FD_class_t make_driver() {
  H5FD_class_t driver{};
#ifdef H5FD_CLASS_VERSION  // since 1.14
  driver.version = H5FD_CLASS_VERSION;
  driver.value = static_cast<H5FD_class_value_t>(H5_VFD_RESERVED + 1);
#endif
  driver.name = "minidad_layout";
  driver.maxaddr = haddr_t{1} << 62;
  driver.fc_degree = H5F_CLOSE_WEAK;
  driver.open = open;
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
    return H5FDtruncate(under(file), transfer, closing);
  };
  H5FD_mem_t const map[] = H5FD_FLMAP_DICHOTOMY;  // metadata and raw data each stay together
  for (int type = 0; type < H5FD_MEM_NTYPES; ++type) driver.fl_map[type] = map[type];
  return driver;
}

}  // namespace

void leave_out_raw_data(hid_t access) {
  static H5FD_class_t const driver = make_driver();
  static hid_t const id = H5FDregister(&driver);
  check_hdf5(H5Pset_driver(access, id, nullptr), "layout driver");
}

}  // namespace minidad
