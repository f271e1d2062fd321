//===- DeviceCalls.cpp - Operations on the tests' host tensors ------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "DeviceCalls.h"

#include "TestContext.h"
#include "TestStorage.h"

#include <deque>
#include <set>

using namespace mla;
using namespace mla::test;

namespace {

/// Owner of the device's copies, which outlive a test's context.
mla_context *memoryContext() {
  static TestContext context;
  return context;
}

/// The operation's tensors moved to the device, and back.
class DeviceCall {
public:
  explicit DeviceCall(const TestContext &ctx) : ctx(ctx) {}

  /// Puts a descriptor of the device's copy into a parameter field.
  void take(const mla_tensor *&field) {
    if (!field)
      return;
    mla_tensor tensor = *field;
    tensor.device_type = testBackend().deviceType;
    tensor.device_id = testBackend().device;
    if (tensor.data) {
      TestStorage *storage = findStorage(tensor.data);
      EXPECT_NE(storage, nullptr) << "expected the memory of a TestTensor";
      if (!storage)
        return;
      ptrdiff_t offset =
          static_cast<uint8_t *>(tensor.data) - storage->bytes.data();
      tensor.data = mirrorOf(*storage) + offset;
      storages.insert(storage);
    }
    descriptors.push_back(tensor);
    field = &descriptors.back();
  }

  void upload() {
    for (TestStorage *storage : storages)
      EXPECT_EQ(mla_upload(memoryContext(), storage->mirror.get(),
                           storage->bytes.data(), storage->bytes.size()),
                MLA_STATUS_OK)
          << mla_last_error(memoryContext());
  }

  void download() {
    // In the stream of the call; a context that has refused it answers no more,
    // and has enqueued nothing to wait for.
    mla_context *through = ctx;
    if (mla_context_status(ctx) != MLA_STATUS_OK)
      through = memoryContext();
    for (TestStorage *storage : storages)
      EXPECT_EQ(mla_download(through, storage->bytes.data(),
                             storage->mirror.get(), storage->bytes.size()),
                MLA_STATUS_OK)
          << mla_last_error(through);
  }

private:
  static uint8_t *mirrorOf(TestStorage &storage) {
    if (!storage.mirror)
      storage.mirror = std::shared_ptr<void>(
          mla_device_alloc(memoryContext(), storage.bytes.size()),
          [](void *data) { mla_device_free(memoryContext(), data); });
    return static_cast<uint8_t *>(storage.mirror.get());
  }

  const TestContext &ctx;
  std::deque<mla_tensor> descriptors;
  std::set<TestStorage *> storages;
};

} // namespace

#define MLA_OP_BEGIN(op, since, doc)                                           \
  mla_status mla::test::mla_##op(const TestContext &ctx,                       \
                                 const mla_##op##_params *params) {            \
    if (!testBackend().hasOwnMemory)                                           \
      return ::mla_##op(ctx, params);                                          \
    mla_##op##_params own = *params;                                           \
    DeviceCall call(ctx);
#define MLA_TENSOR(op, field, role, presence, dtypes, dims, since, doc)        \
  call.take(own.field);
#define MLA_CACHE(op, field, role, presence, since, doc)                       \
  call.take(own.field##_latent);                                               \
  call.take(own.field##_pe);                                                   \
  call.take(own.field##_scales);
#define MLA_OP_END(op)                                                         \
  call.upload();                                                               \
  mla_status status = ::mla_##op(ctx, &own);                                   \
  call.download();                                                             \
  return status;                                                               \
  }
#include "mla_runtime/ops.def"
