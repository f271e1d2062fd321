//===- Backend.cpp - The CPU backend's table, memory and scratch ----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Kernels.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

using namespace mla;
using namespace mla::cpu;

namespace {

/// What mla_context::backendState points to.
struct State {
  float *block = nullptr;
  int64_t capacity = 0; ///< Floats.
};

const uint64_t alignment = 256;

void *allocate(uint64_t bytes) {
  uint64_t rounded = (std::max<uint64_t>(bytes, 1) + alignment - 1) / alignment;
  if (rounded > UINT64_MAX / alignment)
    return nullptr;
  return std::aligned_alloc(alignment, rounded * alignment);
}

mla_status open(mla_context &ctx) {
  if (ctx.device != 0)
    return fail(ctx, MLA_STATUS_NOT_FOUND,
                "backend 'cpu': device: expected 0, got %d", ctx.device);
  State *state = new (std::nothrow) State();
  if (!state)
    return fail(ctx, MLA_STATUS_RESOURCE_EXHAUSTED,
                "backend 'cpu': expected %zu bytes of memory, got none",
                sizeof(State));
  ctx.backendState = state;
  return MLA_STATUS_OK;
}

void close(mla_context &ctx) {
  State *state = static_cast<State *>(ctx.backendState);
  std::free(state->block);
  delete state;
  ctx.backendState = nullptr;
}

void *alloc(mla_context &, uint64_t bytes) { return allocate(bytes); }

void release(mla_context &, void *data) { std::free(data); }

mla_status transfer(mla_context &, void *to, const void *from, uint64_t bytes) {
  if (bytes)
    std::memcpy(to, from, bytes);
  return MLA_STATUS_OK;
}

/// For what has no meaning here: calls are done, and their faults recorded,
/// when they return.
mla_status nothing(mla_context &) { return MLA_STATUS_OK; }

MlaBackend makeTable() {
  MlaBackend table = {};
  table.abi = MLA_BACKEND_ABI;
  table.name = "cpu";
  table.deviceType = MLA_DEVICE_CPU;
  table.open = open;
  table.close = close;
  table.alloc = alloc;
  table.free = release;
  table.upload = transfer;
  table.download = transfer;
  table.synchronize = nothing;
  table.check = nothing;
  table.warmup = nothing;
#define MLA_OP_BEGIN(op, since, doc) table.op = cpu::op;
#include "mla_runtime/ops.def"
  table.supports_copy = supports_copy;
  table.supports_fill = supports_fill;
  return table;
}

} // namespace

const MlaBackend &cpuBackend() {
  static const MlaBackend table = makeTable();
  return table;
}

float *mla::cpu::scratch(mla_context &ctx, int64_t count) {
  State *state = static_cast<State *>(ctx.backendState);
  if (state->block && count <= state->capacity)
    return state->block;
  // Kernels ask for their worst case, so the old content is of no use.
  std::free(state->block);
  state->capacity = 0;
  state->block = nullptr;
  if (count < mostFloats)
    state->block = static_cast<float *>(
        allocate(static_cast<uint64_t>(count) * sizeof(float)));
  if (!state->block) {
    fail(ctx, MLA_STATUS_RESOURCE_EXHAUSTED,
         "backend 'cpu': expected %lld bytes of scratch memory, got none",
         static_cast<long long>(std::min(count, mostFloats) * sizeof(float)));
    return nullptr;
  }
  state->capacity = count;
  return state->block;
}
