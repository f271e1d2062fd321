//===- DeviceCopies.h - The tests' memory on a device ---------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_OPS_DEVICECOPIES_H
#define MLA_TEST_RUNTIME_OPS_DEVICECOPIES_H

#include "TestStorage.h"
#include "mla_runtime/runtime.h"

#include <deque>
#include <set>

namespace mla {
namespace test {

/// Copies of the memory behind tensors of a call, on the backend's device, and
/// the descriptors that say so.
class DeviceCopies {
public:
  DeviceCopies() = default;
  DeviceCopies(const DeviceCopies &) = delete;
  DeviceCopies &operator=(const DeviceCopies &) = delete;

  /// Has every tensor field point to a descriptor of the device's copy, which
  /// lives as long as this.
#define MLA_OP_BEGIN(op, since, doc) void take(mla_##op##_params &params);
#include "mla_runtime/ops.def"

  /// Everything, guards and gaps included. Both are done when they return.
  void upload() const;
  void download(mla_context *ctx) const;

  /// The host's bytes, to put back later.
  std::vector<std::vector<uint8_t>> contents() const;
  void setContents(const std::vector<std::vector<uint8_t>> &contents) const;

private:
  void take(const mla_tensor *&field);

  std::deque<mla_tensor> descriptors;
  std::set<TestStorage *> storages;
};

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_OPS_DEVICECOPIES_H
