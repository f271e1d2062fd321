//===- Nvml.h - What the driver says of a GPU -------------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_NVML_H
#define MLA_BENCH_NVML_H

#include <string>

namespace mla::bench {

/// Each "?" where the driver doesn't say.
struct NvmlState {
  std::string driver = "?";
  std::string smClock = "?", memoryClock = "?"; ///< Now, "1980 MHz".
  std::string powerLimit = "?";                 ///< "700 W".
};

/// Asks the driver's management library, which is loaded for it, of the GPU
/// with PCI address `busId`.
NvmlState readNvml(const std::string &busId);

} // namespace mla::bench

#endif // MLA_BENCH_NVML_H
