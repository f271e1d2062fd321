//===- Nvml.h - What the driver says of a GPU -------------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_NVML_H
#define MLA_BENCH_NVML_H

#include "Device.h"

namespace mla::bench {

/// The driver's management library, loaded for one GPU. Where there is none, it
/// says nothing of anything.
class Nvml {
public:
  Nvml() = default;
  ~Nvml();
  Nvml(const Nvml &) = delete;

  /// Of the GPU with this PCI address.
  void open(const std::string &busId);

  /// "?" where the driver doesn't say; "700 W".
  std::string driver() const;
  std::string powerLimit() const;
  /// Its clocks and power at this moment. Takes a millisecond or so.
  std::optional<Load> load() const;

private:
  template <typename... Args> bool call(const char *name, Args... args) const;

  void *library = nullptr;
  void *gpu = nullptr; ///< Null: not known.
};

} // namespace mla::bench

#endif // MLA_BENCH_NVML_H
