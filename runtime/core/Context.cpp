//===- Context.cpp - Contexts and their settings --------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/Context.h"
#include "core/BackendRegistry.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

static bool traceWanted() {
  const char *value = std::getenv("MLA_TRACE");
  return value && *value && std::strcmp(value, "0") != 0;
}

static mla_status create(const char *name, int32_t device, mla_context *&out) {
  const MlaBackend *backend = nullptr;
  if (mla_status status = findBackend(name, backend))
    return status;
  std::unique_ptr<mla_context> ctx(new (std::nothrow) mla_context);
  if (!ctx)
    return failThread(MLA_STATUS_RESOURCE_EXHAUSTED,
                      "mla_context_create: expected memory for a context, got "
                      "none");
  ctx->backend = backend;
  ctx->device = device;
  ctx->trace = traceWanted();
  if (mla_status status = backend->open(*ctx))
    return failThread(status, "%s",
                      ctx->text[0] ? ctx->text
                                   : "mla_context_create: the backend could "
                                     "not open its device");
  out = ctx.release();
  return MLA_STATUS_OK;
}

extern "C" mla_status mla_context_create(const char *backend, int32_t device,
                                         mla_context **out) {
  if (!out)
    return failThread(MLA_STATUS_INVALID_ARGUMENT,
                      "mla_context_create: out: expected an address, got null");
  *out = nullptr;
  return create(backend, device, *out);
}

extern "C" void mla_context_destroy(mla_context *ctx) {
  if (!ctx)
    return;
  ctx->arena.release(*ctx);
  ctx->backend->close(*ctx);
  delete ctx;
}

extern "C" mla_context *mla_context_default(void) {
  struct Holder {
    mla_context *ctx = nullptr;
    ~Holder() { mla_context_destroy(ctx); }
  };
  static thread_local Holder holder;
  if (!holder.ctx && create("cpu", 0, holder.ctx) == MLA_STATUS_OK)
    holder.ctx->isDefault = true;
  return holder.ctx;
}

extern "C" const char *mla_context_backend(const mla_context *ctx) {
  return ctx ? ctx->backend->name : "";
}

/// The settings refuse a null context. They work on a context with a sticky
/// error too: a caller whose CHECK failed must be able to leave the mode.
static mla_status setter(mla_context *ctx, const char *function) {
  if (!ctx)
    return failThread(MLA_STATUS_INVALID_ARGUMENT,
                      "%s: expected a context, got null", function);
  return MLA_STATUS_OK;
}

extern "C" mla_status mla_context_set_stream(mla_context *ctx, void *stream) {
  if (mla_status status = setter(ctx, "mla_context_set_stream"))
    return status;
  ctx->stream = stream;
  return MLA_STATUS_OK;
}

extern "C" void *mla_context_stream(const mla_context *ctx) {
  return ctx ? ctx->stream : nullptr;
}

extern "C" mla_status mla_context_set_mode(mla_context *ctx, int32_t mode) {
  if (mla_status status = setter(ctx, "mla_context_set_mode"))
    return status;
  if (mode < MLA_MODE_RUN || mode > MLA_MODE_PLAN)
    return fail(*ctx, MLA_STATUS_INVALID_ARGUMENT,
                "mla_context_set_mode: mode: expected MLA_MODE_RUN, "
                "MLA_MODE_CHECK or MLA_MODE_PLAN, got %d",
                mode);
  if (ctx->open)
    return fail(*ctx, MLA_STATUS_FAILED_PRECONDITION,
                "mla_context_set_mode: expected no open entry, got '%s'",
                ctx->entry);
  // Addresses of one mode mean nothing in another.
  ctx->arena.reset(*ctx);
  ctx->arena.highWater = 0;
  ctx->mode = mode;
  return MLA_STATUS_OK;
}

extern "C" mla_status mla_context_set_sm_limit(mla_context *ctx,
                                               int32_t limit) {
  if (mla_status status = setter(ctx, "mla_context_set_sm_limit"))
    return status;
  if (limit < 0)
    return fail(*ctx, MLA_STATUS_INVALID_ARGUMENT,
                "mla_context_set_sm_limit: limit: expected 0 or more, got %d",
                limit);
  ctx->smLimit = limit;
  return MLA_STATUS_OK;
}

extern "C" mla_status mla_context_set_workspace(mla_context *ctx, void *data,
                                                uint64_t bytes) {
  if (mla_status status = setter(ctx, "mla_context_set_workspace"))
    return status;
  return ctx->arena.setWorkspace(*ctx, data, bytes);
}

extern "C" uint64_t mla_context_workspace_high_water(const mla_context *ctx) {
  return ctx ? ctx->arena.highWater : 0;
}

extern "C" mla_status mla_warmup(mla_context *ctx) {
  if (mla_status status = setter(ctx, "mla_warmup"))
    return status;
  if (ctx->status != MLA_STATUS_OK)
    return ctx->status;
  if (mla_status status = ctx->backend->warmup(*ctx))
    return fail(*ctx, status, "mla_warmup: the backend failed");
  return MLA_STATUS_OK;
}
