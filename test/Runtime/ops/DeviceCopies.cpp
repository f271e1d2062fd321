//===- DeviceCopies.cpp - The tests' memory on a device -------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "DeviceCopies.h"

#include "TestContext.h"

using namespace mla;
using namespace mla::test;

/// Owner of the copies, which outlive a test's context.
static mla_context *memoryContext() {
  static TestContext context;
  return context;
}

static uint8_t *mirrorOf(TestStorage &storage) {
  if (!storage.mirror)
    storage.mirror = std::shared_ptr<void>(
        mla_device_alloc(memoryContext(), storage.bytes.size()),
        [](void *data) { mla_device_free(memoryContext(), data); });
  return static_cast<uint8_t *>(storage.mirror.get());
}

#define MLA_OP_BEGIN(op, since, doc)                                           \
  void DeviceCopies::take(mla_##op##_params &params) {
#define MLA_TENSOR(op, field, role, presence, dtypes, dims, since, doc)        \
  take(params.field);
#define MLA_CACHE(op, field, role, presence, since, doc)                       \
  take(params.field##_latent);                                                 \
  take(params.field##_pe);                                                     \
  take(params.field##_scales);
#define MLA_OP_END(op) }
#include "mla_runtime/ops.def"

void DeviceCopies::take(const mla_tensor *&field) {
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

void DeviceCopies::upload() const {
  for (TestStorage *storage : storages)
    EXPECT_EQ(mla_upload(memoryContext(), storage->mirror.get(),
                         storage->bytes.data(), storage->bytes.size()),
              MLA_STATUS_OK)
        << mla_last_error(memoryContext());
}

void DeviceCopies::download(mla_context *ctx) const {
  // In the stream of the call; a context that has refused it answers no more,
  // and has enqueued nothing to wait for.
  if (mla_context_status(ctx) != MLA_STATUS_OK)
    ctx = memoryContext();
  for (TestStorage *storage : storages)
    EXPECT_EQ(mla_download(ctx, storage->bytes.data(), storage->mirror.get(),
                           storage->bytes.size()),
              MLA_STATUS_OK)
        << mla_last_error(ctx);
}

std::vector<std::vector<uint8_t>> DeviceCopies::contents() const {
  std::vector<std::vector<uint8_t>> result;
  for (TestStorage *storage : storages)
    result.push_back(storage->bytes);
  return result;
}

void DeviceCopies::setContents(
    const std::vector<std::vector<uint8_t>> &contents) const {
  size_t next = 0;
  // In place: tensors know the address.
  for (TestStorage *storage : storages) {
    std::copy(contents[next].begin(), contents[next].end(),
              storage->bytes.begin());
    ++next;
  }
}
