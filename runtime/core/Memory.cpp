//===- Memory.cpp - Device memory for callers without an allocator --------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/Context.h"

/// Checks what all three have in common. Does not touch a sticky context.
static mla_status begin(mla_context *ctx, const char *function) {
  if (!ctx)
    return failThread(MLA_STATUS_INVALID_ARGUMENT,
                      "%s: expected a context, got null", function);
  return ctx->status;
}

static mla_status finish(mla_context &ctx, const char *function,
                         mla_status status) {
  if (status != MLA_STATUS_OK)
    return fail(ctx, status, "%s: the device failed", function);
  return MLA_STATUS_OK;
}

extern "C" void *mla_device_alloc(mla_context *ctx, uint64_t bytes) {
  if (begin(ctx, "mla_device_alloc") != MLA_STATUS_OK)
    return nullptr;
  void *data = nullptr;
  // Above that a size is a negative number in disguise.
  if (bytes <= uint64_t(1) << 56)
    data = ctx->backend->alloc(*ctx, bytes ? bytes : 1);
  if (!data)
    fail(*ctx, MLA_STATUS_RESOURCE_EXHAUSTED,
         "mla_device_alloc: expected %llu bytes of device memory, got none",
         static_cast<unsigned long long>(bytes));
  return data;
}

extern "C" void mla_device_free(mla_context *ctx, void *data) {
  // Sticky or not: memory must not leak because a call failed.
  if (ctx && data)
    ctx->backend->free(*ctx, data);
}

static mla_status checkPointers(mla_context &ctx, const char *function,
                                const void *device, const void *host,
                                uint64_t bytes) {
  if (bytes && (!device || !host))
    return fail(ctx, MLA_STATUS_INVALID_ARGUMENT,
                "%s: %s: expected data, got null for %llu bytes", function,
                device ? "host" : "device",
                static_cast<unsigned long long>(bytes));
  return MLA_STATUS_OK;
}

extern "C" mla_status mla_upload(mla_context *ctx, void *device,
                                 const void *host, uint64_t bytes) {
  mla_status status = begin(ctx, "mla_upload");
  if (status != MLA_STATUS_OK)
    return status;
  status = checkPointers(*ctx, "mla_upload", device, host, bytes);
  if (status != MLA_STATUS_OK || bytes == 0)
    return status;
  return finish(*ctx, "mla_upload",
                ctx->backend->upload(*ctx, device, host, bytes));
}

extern "C" mla_status mla_download(mla_context *ctx, void *host,
                                   const void *device, uint64_t bytes) {
  mla_status status = begin(ctx, "mla_download");
  if (status != MLA_STATUS_OK)
    return status;
  status = checkPointers(*ctx, "mla_download", device, host, bytes);
  if (status != MLA_STATUS_OK || bytes == 0)
    return status;
  return finish(*ctx, "mla_download",
                ctx->backend->download(*ctx, host, device, bytes));
}
