//===- Context.h - The context behind the C ABI ---------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CORE_CONTEXT_H
#define MLA_RUNTIME_CORE_CONTEXT_H

#include "core/Arena.h"
#include "core/Backend.h"

#include <cstdarg>
#include <mutex>

/// The first bad value that a call met in device data.
struct MlaFault {
  bool present = false;
  char text[256] = {};
};

/// State of one stream of work. Backends read the first group and own
/// `backendState`; the rest belongs to the core.
struct mla_context {
  const MlaBackend *backend = nullptr;
  int32_t device = 0;
  void *stream = nullptr;
  int32_t mode = MLA_MODE_RUN;
  int32_t smLimit = 0; ///< Of CPU threads or SMs; 0: all.
  void *backendState = nullptr;

  mla_status status = MLA_STATUS_OK; ///< Sticky.
  /// Text of the sticky error; of the last mla_context_check while `status` is
  /// OK.
  char text[1024] = {};
  bool trace = false;     ///< MLA_TRACE=1 when the context was made.
  bool isDefault = false; ///< Grows its arena, prints its errors.
  bool open = false;      ///< Between mla_begin and mla_end.
  char entry[128] = {};   ///< Of the open entry.
  Arena arena;
  std::mutex faultMutex; ///< A backend's threads report concurrently.
  MlaFault fault;
};

extern "C" {
/// Exported for backends in libraries of their own; use the wrappers below.
MLA_EXPORT mla_status mla_internal_fail(mla_context *ctx, mla_status status,
                                        const char *format, va_list args);
MLA_EXPORT void mla_internal_record_fault(mla_context *ctx, const char *op,
                                          const char *what, int64_t index,
                                          int64_t value, int64_t limit,
                                          int64_t lowest);
MLA_EXPORT void mla_internal_record_bad_scale(mla_context *ctx, const char *op,
                                              const char *what, double value);
}

/// Reports an error of the running call: the context keeps the first status and
/// text until it is cleared. Returns the sticky status, so that a backend
/// writes `return fail(ctx, MLA_STATUS_UNIMPLEMENTED, "mla_append: query: ...",
/// ...)`. The text is one sentence: what, expected, got.
inline mla_status fail(mla_context &ctx, mla_status status, const char *format,
                       ...) __attribute__((format(printf, 3, 4)));
inline mla_status fail(mla_context &ctx, mla_status status, const char *format,
                       ...) {
  va_list args;
  va_start(args, format);
  mla_status sticky = mla_internal_fail(&ctx, status, format, args);
  va_end(args);
  return sticky;
}

/// Records a value found in device data that points nowhere: element `index` of
/// argument `what` ("slots", "page_table", "positions") of operation `op`
/// ("append") holds `value`, outside [lowest, limit). The first since the last
/// mla_context_check is kept. The call itself goes on and returns OK. Safe to
/// call from a backend's threads.
inline void recordFault(mla_context &ctx, const char *op, const char *what,
                        int64_t index, int64_t value, int64_t limit,
                        int64_t lowest = 0) {
  mla_internal_record_fault(&ctx, op, what, index, value, limit, lowest);
}

/// Records a quantization scale found in device data (argument `what`) that is
/// no positive normal f32: NaN, infinite, 0, negative, or too small to have a
/// reciprocal. Otherwise as recordFault().
inline void recordBadScale(mla_context &ctx, const char *op, const char *what,
                           double value) {
  mla_internal_record_bad_scale(&ctx, op, what, value);
}

/// Reports an error that belongs to no context: the calling thread's text
/// behind mla_last_error(NULL). Returns `status`.
mla_status failThread(mla_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif // MLA_RUNTIME_CORE_CONTEXT_H
