//===- Device.cpp - A context of the runtime and tensors on its device ----===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Device.h"

namespace mla::parity {

io::Result<ContextPtr> createContext(const io::DeviceName &device) {
  mla_context *ctx = nullptr;
  if (mla_context_create(device.backend.c_str(), device.number, &ctx) !=
      MLA_STATUS_OK)
    return io::Error{mla_last_error(nullptr)};
  return ContextPtr(ctx);
}

io::Result<DeviceTensor> DeviceTensor::upload(mla_context *ctx,
                                              const HostTensor &tensor) {
  DeviceTensor result(ctx);
  mla_tensor &view = result.view;
  view.device_type = MLA_DEVICE_CONTEXT;
  view.dtype = tensor.dtype;
  view.rank = static_cast<int32_t>(tensor.shape.size());
  int64_t stride = 1;
  for (int32_t i = view.rank - 1; i >= 0; --i) {
    view.shape[i] = tensor.shape[i];
    view.strides[i] = stride;
    stride *= tensor.shape[i];
  }
  uint64_t bytes = tensor.bytes.size();
  if (!bytes)
    return result;
  view.data = mla_device_alloc(ctx, bytes);
  if (!view.data ||
      mla_upload(ctx, view.data, tensor.bytes.data(), bytes) != MLA_STATUS_OK)
    return io::Error{mla_last_error(ctx)};
  return result;
}

mla_tensor DeviceTensor::getReadOnlyView() const {
  mla_tensor result = view;
  result.flags |= MLA_TENSOR_READ_ONLY;
  return result;
}

io::Result<HostTensor> DeviceTensor::download() const {
  HostTensor tensor(view.dtype, {view.shape, view.shape + view.rank});
  if (!tensor.bytes.empty() &&
      mla_download(ctx, tensor.bytes.data(), view.data, tensor.bytes.size()) !=
          MLA_STATUS_OK)
    return io::Error{mla_last_error(ctx)};
  return tensor;
}

} // namespace mla::parity
