// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "comm/communicator.hpp"

namespace minidad {

/// The ranks that the test program was started on. Every rank runs every test; gather first, then assert on all alike.
Communicator& test_comm();

}  // namespace minidad
