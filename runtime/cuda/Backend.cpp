//===- Backend.cpp - The CUDA backend's table, device and memory ----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Append.h"
#include "AttentionSplit.h"
#include "Fault.h"
#include "Kernels.h"
#include "Matmul.h"

#include <new>

using namespace mla;
using namespace mla::cuda;

namespace {

/// The operation and the argument of a fault, as its text names them.
struct SiteName {
  const char *op, *argument;
};
const SiteName siteNames[] = {
#define MLA_CUDA_FAULT_SITE(op, argument, text) {#op, text},
    MLA_CUDA_FAULT_SITES(MLA_CUDA_FAULT_SITE)
#undef MLA_CUDA_FAULT_SITE
};

mla_status failOpen(mla_context &ctx, mla_status status, cudaError_t error) {
  return fail(ctx, status,
              "mla_context_create: backend 'cuda': expected a usable GPU, got: "
              "%s",
              textOf(error));
}

/// What CUDA calls an insufficient driver may be none at all.
mla_status failWithoutDriver(mla_context &ctx) {
  int driver = 0, runtime = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0)
    return fail(ctx, MLA_STATUS_NOT_FOUND,
                "mla_context_create: backend 'cuda': expected NVIDIA's driver "
                "(libcuda.so.1), got none");
  cudaRuntimeGetVersion(&runtime);
  return fail(ctx, MLA_STATUS_NOT_FOUND,
              "mla_context_create: backend 'cuda': expected a driver for CUDA "
              "%d.%d or later, got one for CUDA %d.%d",
              runtime / 1000, runtime % 1000 / 10, driver / 1000,
              driver % 1000 / 10);
}

mla_status readProperties(mla_context &ctx, State &state) {
  int count = 0;
  cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaErrorInsufficientDriver)
    return failWithoutDriver(ctx);
  if (error != cudaSuccess)
    return failOpen(ctx, MLA_STATUS_NOT_FOUND, error);
  if (ctx.device < 0 || ctx.device >= count)
    return fail(ctx, MLA_STATUS_NOT_FOUND,
                "mla_context_create: backend 'cuda': device: expected a number "
                "in [0, %d), got %d",
                count, ctx.device);
  int major = 0, minor = 0;
  const struct {
    int *value;
    cudaDeviceAttr attribute;
  } attributes[] = {
      {&state.numSMs, cudaDevAttrMultiProcessorCount},
      {&state.maxSharedBytes, cudaDevAttrMaxSharedMemoryPerBlockOptin},
      {&major, cudaDevAttrComputeCapabilityMajor},
      {&minor, cudaDevAttrComputeCapabilityMinor}};
  for (const auto &entry : attributes)
    if (cudaError_t error =
            cudaDeviceGetAttribute(entry.value, entry.attribute, ctx.device))
      return failOpen(ctx, MLA_STATUS_INTERNAL, error);
  if (major < 8)
    return fail(ctx, MLA_STATUS_UNIMPLEMENTED,
                "mla_context_create: backend 'cuda': expected a GPU of compute "
                "capability 8.0 or more, got %d.%d",
                major, minor);
  state.hasSm90 = major == 9 && minor == 0;
  return MLA_STATUS_OK;
}

/// A device allocation that starts as zeros, also for streams that don't wait
/// for the default one.
template <typename T>
mla_status allocateZeros(mla_context &ctx, uint64_t bytes, T *&data) {
  void *block = nullptr;
  cudaError_t error = cudaMalloc(&block, bytes);
  if (error == cudaSuccess) {
    data = static_cast<T *>(block);
    error = cudaMemset(block, 0, bytes);
  }
  if (error == cudaSuccess)
    error = cudaStreamSynchronize(nullptr);
  if (error != cudaSuccess)
    return fail(ctx, MLA_STATUS_RESOURCE_EXHAUSTED,
                "mla_context_create: backend 'cuda': expected %llu bytes of "
                "device memory, got: %s",
                static_cast<unsigned long long>(bytes), textOf(error));
  return MLA_STATUS_OK;
}

cudaError_t loadKernels(const State &state) {
#define MLA_OP_BEGIN(op, since, doc)                                           \
  if (cudaError_t error = load_##op(state))                                    \
    return error;
#include "mla_runtime/ops.def"
  return cudaSuccess;
}

mla_status openState(mla_context &ctx, State &state) {
  if (cudaError_t error = loadKernels(state))
    return failOpen(ctx, MLA_STATUS_INTERNAL, error);
  state.startsEarly = appendWaits();
  if (mla_status status = allocateZeros(ctx, sizeof(FaultRecord), state.fault))
    return status;
  if (mla_status status =
          allocateZeros(ctx, attentionScratchBytes(state), state.scratch))
    return status;
  return openMatmul(ctx, state.matmul);
}

void closeState(State *state) {
  closeMatmul(state->matmul);
  freeMemory(state->scratch);
  freeMemory(state->fault);
  delete state;
}

mla_status open(mla_context &ctx) {
  State properties;
  if (mla_status status = readProperties(ctx, properties))
    return status;
  State *state = new (std::nothrow) State(properties);
  if (!state)
    return fail(ctx, MLA_STATUS_RESOURCE_EXHAUSTED,
                "mla_context_create: backend 'cuda': expected host memory, got "
                "none");
  DeviceGuard guard(ctx.device);
  mla_status status = openState(ctx, *state);
  if (status != MLA_STATUS_OK) {
    closeState(state);
    return status;
  }
  ctx.backendState = state;
  return MLA_STATUS_OK;
}

void close(mla_context &ctx) {
  DeviceGuard guard(ctx.device);
  closeState(&stateOf(ctx));
  ctx.backendState = nullptr;
}

// CUDA aligns its allocations to 256 bytes.
void *alloc(mla_context &ctx, uint64_t bytes) {
  DeviceGuard guard(ctx.device);
  void *data = nullptr;
  if (cudaMalloc(&data, bytes) == cudaSuccess)
    return data;
  cudaGetLastError(); // reported by the core; not to be met again later
  return nullptr;
}

void release(mla_context &ctx, void *data) {
  DeviceGuard guard(ctx.device);
  freeMemory(data);
}

mla_status synchronize(mla_context &ctx) {
  DeviceGuard guard(ctx.device);
  if (cudaError_t error = cudaStreamSynchronize(streamOf(ctx)))
    return fail(ctx, MLA_STATUS_INTERNAL,
                "backend 'cuda': expected the GPU to end its work, got: %s",
                textOf(error));
  return MLA_STATUS_OK;
}

/// In the stream's order, so that a call enqueued before has been done.
mla_status transfer(mla_context &ctx, const char *function, void *to,
                    const void *from, uint64_t bytes, cudaMemcpyKind kind) {
  DeviceGuard guard(ctx.device);
  cudaError_t error = cudaMemcpyAsync(to, from, bytes, kind, streamOf(ctx));
  if (error == cudaSuccess)
    error = cudaStreamSynchronize(streamOf(ctx));
  if (error != cudaSuccess)
    return fail(ctx, MLA_STATUS_INTERNAL,
                "%s: expected CUDA to copy %llu bytes, got: %s", function,
                static_cast<unsigned long long>(bytes), textOf(error));
  return MLA_STATUS_OK;
}

mla_status upload(mla_context &ctx, void *device, const void *host,
                  uint64_t bytes) {
  return transfer(ctx, "mla_upload", device, host, bytes,
                  cudaMemcpyHostToDevice);
}

mla_status download(mla_context &ctx, void *host, const void *device,
                    uint64_t bytes) {
  return transfer(ctx, "mla_download", host, device, bytes,
                  cudaMemcpyDeviceToHost);
}

mla_status check(mla_context &ctx) {
  State &state = stateOf(ctx);
  FaultRecord record;
  if (mla_status status =
          transfer(ctx, "mla_context_check", &record, state.fault,
                   sizeof(record), cudaMemcpyDeviceToHost))
    return status;
  if (!record.present)
    return MLA_STATUS_OK;
  SiteName name = siteNames[static_cast<int>(record.site)];
  if (record.isScale)
    recordBadScale(ctx, name.op, name.argument, record.scale);
  else
    recordFault(ctx, name.op, name.argument, record.index, record.value,
                record.limit, record.lowest);
  record = {};
  return transfer(ctx, "mla_context_check", state.fault, &record,
                  sizeof(record), cudaMemcpyHostToDevice);
}

MlaBackend makeTable() {
  MlaBackend table = {};
  table.abi = MLA_BACKEND_ABI;
  table.name = "cuda";
  table.deviceType = MLA_DEVICE_CUDA;
  table.open = open;
  table.close = close;
  table.alloc = alloc;
  table.free = release;
  table.upload = upload;
  table.download = download;
  table.synchronize = synchronize;
  table.check = check;
  // Nothing is lazy: open() has loaded everything.
  table.warmup = synchronize;
#define MLA_OP_BEGIN(op, since, doc) table.op = cuda::op;
#include "mla_runtime/ops.def"
  table.supports_absorbed_attention = supports_absorbed_attention;
  table.supports_expanded_attention = supports_expanded_attention;
  table.supports_fill = supports_fill;
  return table;
}

} // namespace

extern "C" MLA_EXPORT const MlaBackend *mla_backend_table();
extern "C" const MlaBackend *mla_backend_table() {
  static const MlaBackend table = makeTable();
  return &table;
}
