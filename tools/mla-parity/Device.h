//===- Device.h - A context and tensors on its device -----------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_PARITY_DEVICE_H
#define MLA_TOOLS_PARITY_DEVICE_H

#include "HostTensor.h"
#include "io/DeviceName.h"
#include "mla_runtime/runtime.h"

#include <memory>
#include <string>

namespace mla::parity {

struct ContextDeleter {
  void operator()(mla_context *ctx) const { mla_context_destroy(ctx); }
};
using ContextPtr = std::unique_ptr<mla_context, ContextDeleter>;

io::Result<ContextPtr> createContext(const io::DeviceName &device);

/// A tensor on a context's device.
class DeviceTensor {
public:
  static io::Result<DeviceTensor> upload(mla_context *ctx,
                                         const HostTensor &tensor);
  ~DeviceTensor() { mla_device_free(ctx, view.data); }
  DeviceTensor(DeviceTensor &&other) noexcept : ctx(other.ctx) {
    std::swap(view, other.view);
  }
  DeviceTensor &operator=(DeviceTensor &&other) noexcept {
    std::swap(ctx, other.ctx);
    std::swap(view, other.view);
    return *this;
  }

  /// Its elements and shape; data is null where there are none.
  const mla_tensor &getView() const { return view; }
  /// The same, which a callee must not write.
  mla_tensor getReadOnlyView() const;
  /// The bytes as they are now, in a tensor of the shape that was uploaded.
  io::Result<HostTensor> download() const;

private:
  explicit DeviceTensor(mla_context *ctx) : ctx(ctx) {}

  mla_context *ctx = nullptr;
  mla_tensor view = {};
};

} // namespace mla::parity

#endif // MLA_TOOLS_PARITY_DEVICE_H
