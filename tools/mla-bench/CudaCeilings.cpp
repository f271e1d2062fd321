//===- CudaCeilings.cpp - What a GPU can do at most -----------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CudaDevice.h"
#include "Operands.h"

#include <algorithm>

using namespace mla;
using namespace mla::bench;

io::Result<Bandwidths> CudaDevice::bandwidthOver(uint64_t bytes, int, double) {
  bytes = std::max<uint64_t>(bytes / 32, 1) * 32;
  void *memory = nullptr;
  Errors errors;
  errors << cudaMalloc(&memory, bytes)
         << cudaMemsetAsync(memory, 1, bytes, timing.stream);
  if (io::Status status = errors.status("ceilings"); !status)
    return io::Error{status.error()};
  auto *data = static_cast<char *>(memory);
  const int64_t repetitions = 10;
  io::Result<double> read = timing.leastOf(
      repetitions,
      [&] { return timing.kernels.read(data, bytes, timing.stream); }, true);
  io::Result<double> write = timing.leastOf(
      repetitions,
      [&] { return timing.kernels.write(data, bytes, timing.stream); }, true);
  io::Result<double> copy = timing.leastOf(
      repetitions,
      [&] {
        return timing.kernels.copy(data + bytes / 2, data, bytes / 2,
                                   timing.stream);
      },
      true);
  // The clocks are asked for while it works, which takes a moment.
  for (int i = 0; i < 150; ++i)
    timing.kernels.read(data, bytes, timing.stream);
  busy = readNvml(busId);
  cudaStreamSynchronize(timing.stream);
  cudaFree(memory);
  for (const io::Result<double> *one : {&read, &write, &copy})
    if (!*one)
      return io::Error{one->error()};
  double total = static_cast<double>(bytes);
  return Bandwidths{total / *read, total / *write, total / *copy};
}

/// Of a product of 8192 x 8192 matrices of random numbers, as the runtime
/// multiplies them.
io::Result<double> CudaDevice::bf16Peak() {
  const int64_t size = 8192, heads = 64;
  Operands operands(ctx, *this);
  mla_expand_kv_params params = {};
  params.struct_size = sizeof(params);
  params.c_kv = operands.random(MLA_DTYPE_BF16, {size, size});
  params.w_kv_b = operands.random(MLA_DTYPE_BF16, {heads, size / heads, size});
  params.kv = operands.zeros(MLA_DTYPE_BF16, {size, heads, size / heads});
  if (!operands.failure().empty())
    return io::Error{operands.failure()};
  if (mla_expand_kv(ctx, &params))
    return io::Error{mla_last_error(ctx)};
  io::Result<double> least = timing.leastOf(
      10,
      [&] {
        mla_expand_kv(ctx, &params);
        return cudaSuccess;
      },
      /*cold=*/false);
  if (!least)
    return least;
  if (mla_context_check(ctx))
    return io::Error{mla_last_error(ctx)};
  double n = static_cast<double>(size);
  return 2 * n * n * n / *least;
}

io::Status CudaDevice::measureSmallest(Ceilings &result) {
  auto one = [&] { return CudaKernels::nothing(timing.stream); };
  io::Result<double> between = timing.leastOf(21, one, /*cold=*/true);
  if (!between)
    return io::Error{between.error()};
  const int count = 1000;
  Graph graph;
  io::Status captured = timing.capture(
      [&] {
        cudaError_t error = cudaSuccess;
        for (int i = 0; i < count && !error; ++i)
          error = one();
        return error;
      },
      graph);
  if (!captured)
    return captured;
  io::Result<double> all = timing.leastOf(
      5, [&] { return cudaGraphLaunch(graph.executable, timing.stream); },
      true);
  if (!all)
    return io::Error{all.error()};
  result.smallestBetweenEvents = *between;
  result.smallestInGraph = *all / count;
  return {};
}

io::Result<Ceilings> CudaDevice::measure(const CeilingOptions &options) {
  Ceilings result;
  result.bufferBytes = options.bufferBytes;
  if (!result.bufferBytes) {
    size_t available = 0, all = 0;
    cudaMemGetInfo(&available, &all);
    result.bufferBytes = std::min<uint64_t>(uint64_t{4} << 30, available / 3);
  }
  auto bandwidths = bandwidthOver(result.bufferBytes, 0, 0);
  if (!bandwidths)
    return io::Error{bandwidths.error()};
  result.bandwidth = *bandwidths;
  double flops = 0;
  io::Result<double> least = timing.leastOf(
      5, [&] { return timing.kernels.multiplyAdd(flops, timing.stream); },
      /*cold=*/true);
  if (!least)
    return io::Error{least.error()};
  result.f32Peak = flops / *least;
  io::Result<double> peak = bf16Peak();
  if (!peak)
    return io::Error{peak.error()};
  result.bf16Peak = *peak;
  if (io::Status status = measureSmallest(result); !status)
    return io::Error{status.error()};
  return result;
}
