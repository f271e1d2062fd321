//===- DeviceName.h - How users name a device -------------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_IO_DEVICENAME_H
#define MLA_RUNTIME_IO_DEVICENAME_H

#include "Result.h"

#include <cstdint>
#include <string>

namespace mla::io {

/// What mla_context_create takes.
struct DeviceName {
  std::string backend; ///< "cpu" or "cuda".
  int32_t number = 0;
};

/// "cpu", "cuda", which is cuda:0, or "cuda:1".
Result<DeviceName> parseDeviceName(const std::string &text);

} // namespace mla::io

#endif // MLA_RUNTIME_IO_DEVICENAME_H
