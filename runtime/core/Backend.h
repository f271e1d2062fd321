//===- Backend.h - What a backend provides --------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A backend is one table of functions: device memory, and one function for each
// operation of ops.def. The core has checked every argument before it calls one
// (docs/runtime-abi.md lists the checks), so a backend assumes that shapes,
// dtypes, strides, presence and devices are right. Only data on the device
// (page numbers, slots, positions, lengths) is not checked: a backend never
// follows it outside a buffer, and reports the first bad value with
// recordFault().
//
// What the core does to the parameters before the call:
//  - struct_size is the runtime's own; fields that the caller left out are
//  zero;
//  - with rope_style = 0, cos_sin, positions and rope_head_dim are absent;
//  - tensors of no elements may have null data.
//
// What a backend can't do although the call is valid, it says in supports_<op>,
// which runs in CHECK and PLAN too: after a passed CHECK a run is not refused.
// It returns fail(ctx, MLA_STATUS_UNIMPLEMENTED, "mla_append: query: ..."), or
// MLA_STATUS_OK. <op> itself is called in RUN mode only.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CORE_BACKEND_H
#define MLA_RUNTIME_CORE_BACKEND_H

#include "mla_runtime/runtime.h"

/// Version of MlaBackend and of mla_context's layout, for backends in libraries
/// of their own.
#define MLA_BACKEND_ABI 1u

struct MlaBackend {
  uint32_t abi = MLA_BACKEND_ABI; ///< MLA_BACKEND_ABI.
  const char *name = nullptr;     ///< As given to mla_context_create.
  int32_t deviceType = 0;         ///< MLA_DEVICE_*.

  /// Opens ctx.device (checks that it exists; may set ctx.backendState), and
  /// the reverse. `close` is called only after an `open` that succeeded.
  mla_status (*open)(mla_context &ctx) = nullptr;
  void (*close)(mla_context &ctx) = nullptr;

  /// 256-byte aligned; null when there is none left (the core reports it).
  void *(*alloc)(mla_context &ctx, uint64_t bytes) = nullptr;
  void (*free)(mla_context &ctx, void *data) = nullptr;
  /// Done when they return.
  mla_status (*upload)(mla_context &ctx, void *device, const void *host,
                       uint64_t bytes) = nullptr;
  mla_status (*download)(mla_context &ctx, void *host, const void *device,
                         uint64_t bytes) = nullptr;
  mla_status (*synchronize)(mla_context &ctx) = nullptr;
  /// Synchronises, and brings a fault met on the device to recordFault().
  mla_status (*check)(mla_context &ctx) = nullptr;
  mla_status (*warmup)(mla_context &ctx) = nullptr;

#define MLA_OP_BEGIN(op, since, doc)                                           \
  mla_status (*op)(mla_context & ctx, const mla_##op##_params &params) =       \
      nullptr;
#include "mla_runtime/ops.def"

  /// Null: every valid call is supported.
#define MLA_OP_BEGIN(op, since, doc)                                           \
  mla_status (*supports_##op)(mla_context & ctx,                               \
                              const mla_##op##_params &params) = nullptr;
#include "mla_runtime/ops.def"
};

/// The CPU backend, part of libmla_runtime.so; defined in runtime/cpu.
const MlaBackend &cpuBackend();

/// What a backend's shared library exports as `mla_backend_table`.
using MlaBackendTableFn = const MlaBackend *(*)();

#endif // MLA_RUNTIME_CORE_BACKEND_H
