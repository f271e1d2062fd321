//===- Errors.cpp - Sticky errors, faults in data and their texts ---------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/Context.h"

#include <cstdio>
#include <cstring>

/// What mla_last_error(NULL) answers: the calling thread's last error outside
/// any context.
static thread_local char threadText[1024] = "";

/// Every text is one line, whatever a name or a path in it contains.
static void format(char *text, size_t size, const char *format, va_list args) {
  int length = std::vsnprintf(text, size, format, args);
  if (length < 0)
    std::snprintf(text, size, "an error whose text could not be formatted");
  for (char *c = text; *c; ++c)
    if (static_cast<unsigned char>(*c) < ' ' || *c == 0x7f)
      *c = '?';
}

mla_status failThread(mla_status status, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  format(threadText, sizeof(threadText), fmt, args);
  va_end(args);
  return status;
}

extern "C" mla_status mla_internal_fail(mla_context *ctx, mla_status status,
                                        const char *fmt, va_list args) {
  if (ctx->status != MLA_STATUS_OK)
    return ctx->status;
  ctx->status = status;
  format(ctx->text, sizeof(ctx->text), fmt, args);
  // Nobody looks at the status of the functions that use the default context.
  if (ctx->isDefault)
    std::fprintf(stderr, "mla: %s: %s\n", mla_status_name(status), ctx->text);
  return status;
}

/// Keeps the first fault since the last mla_context_check.
static void keepFault(mla_context *ctx, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void keepFault(mla_context *ctx, const char *fmt, ...) {
  std::lock_guard<std::mutex> lock(ctx->faultMutex);
  if (ctx->fault.present)
    return;
  ctx->fault.present = true;
  va_list args;
  va_start(args, fmt);
  format(ctx->fault.text, sizeof(ctx->fault.text), fmt, args);
  va_end(args);
  if (ctx->isDefault)
    std::fprintf(stderr, "mla: %s: %s\n",
                 mla_status_name(MLA_STATUS_DATA_ERROR), ctx->fault.text);
}

extern "C" void mla_internal_record_fault(mla_context *ctx, const char *op,
                                          const char *what, int64_t index,
                                          int64_t value, int64_t limit,
                                          int64_t lowest) {
  keepFault(ctx,
            "mla_%s: %s: expected a value in [%lld, %lld) at index %lld, "
            "got %lld",
            op, what, static_cast<long long>(lowest),
            static_cast<long long>(limit), static_cast<long long>(index),
            static_cast<long long>(value));
}

extern "C" void mla_internal_record_bad_scale(mla_context *ctx, const char *op,
                                              const char *what, double value) {
  keepFault(ctx, "mla_%s: %s: expected a positive normal f32, got %g", op, what,
            value);
}

extern "C" mla_status mla_context_check(mla_context *ctx) {
  if (!ctx)
    return failThread(MLA_STATUS_INVALID_ARGUMENT,
                      "mla_context_check: expected a context, got null");
  if (ctx->status != MLA_STATUS_OK)
    return ctx->status;
  mla_status status = ctx->backend->check(*ctx);
  if (status != MLA_STATUS_OK)
    return fail(*ctx, status, "mla_context_check: the backend failed");
  std::lock_guard<std::mutex> lock(ctx->faultMutex);
  if (!ctx->fault.present) {
    ctx->text[0] = '\0';
    return MLA_STATUS_OK;
  }
  // The data were bad, not the calls: the status does not stick.
  ctx->fault.present = false;
  std::memcpy(ctx->text, ctx->fault.text, sizeof(ctx->fault.text));
  return MLA_STATUS_DATA_ERROR;
}

extern "C" const char *mla_last_error(const mla_context *ctx) {
  return ctx ? ctx->text : threadText;
}

extern "C" mla_status mla_context_status(const mla_context *ctx) {
  return ctx ? ctx->status : MLA_STATUS_INVALID_ARGUMENT;
}

extern "C" mla_status mla_context_report(const mla_context *ctx) {
  mla_status status = mla_context_status(ctx);
  if (status == MLA_STATUS_OK)
    std::puts("mla: OK");
  else
    std::printf("mla: %s: %s\n", mla_status_name(status), mla_last_error(ctx));
  std::fflush(stdout);
  return status;
}

extern "C" void mla_context_clear_error(mla_context *ctx) {
  if (!ctx)
    return;
  ctx->status = MLA_STATUS_OK;
  ctx->text[0] = '\0';
}
