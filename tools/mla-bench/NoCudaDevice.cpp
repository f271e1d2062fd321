//===- NoCudaDevice.cpp - What stands for GPUs in a build without CUDA ----===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Device.h"

using namespace mla;
using namespace mla::bench;

bool mla::bench::hasCuda() { return false; }

io::Result<std::unique_ptr<Device>> mla::bench::makeCudaDevice(mla_context *,
                                                               int32_t) {
  return io::Error{"expected cpu, which is all that this mla-bench was built "
                   "for, got cuda"};
}
