//===- CudaCeilings.cpp - What a GPU can do at most -----------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CublasLtPeak.h"
#include "CudaDevice.h"
#include "Operands.h"

#include <algorithm>
#include <tuple>

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
  // The quicker of two ways to go through memory.
  auto leastOf = [&](auto launch) {
    io::Result<double> least = 1e30;
    for (CudaKernels::Blocks blocks :
         {CudaKernels::Staying, CudaKernels::InOrder}) {
      const int64_t repetitions = 10;
      io::Result<double> took =
          timing.leastOf(repetitions, [&] { return launch(blocks); }, true);
      if (!took || (least && *took < *least))
        least = took;
    }
    return least;
  };
  io::Result<double> read = leastOf([&](CudaKernels::Blocks blocks) {
    return timing.kernels.read(data, bytes, timing.stream, blocks);
  });
  io::Result<double> write = leastOf([&](CudaKernels::Blocks blocks) {
    return timing.kernels.write(data, bytes, timing.stream, blocks);
  });
  io::Result<double> copy = leastOf([&](CudaKernels::Blocks blocks) {
    return timing.kernels.copy(data + bytes / 2, data, bytes / 2, timing.stream,
                               blocks);
  });
  // The driver takes a moment to answer.
  reading = loadDuring(
      150, [&] { return timing.kernels.read(data, bytes, timing.stream); });
  cudaFree(memory);
  for (const io::Result<double> *one : {&read, &write, &copy})
    if (!*one)
      return io::Error{one->error()};
  double total = static_cast<double>(bytes);
  return Bandwidths{total / *read, total / *write, total / *copy};
}

/// Of a product of 8192 x 8192 matrices of random numbers by cuBLASLt.
io::Result<double> CudaDevice::productPeak(uint32_t dtype,
                                           std::optional<Load> &load) {
  const int64_t size = 8192;
  Operands operands(ctx, *this);
  const mla_tensor *a = operands.random(dtype, {size, size});
  const mla_tensor *b = operands.random(dtype, {size, size});
  const mla_tensor *out = operands.zeros(MLA_DTYPE_BF16, {size, size});
  if (!operands.allocate())
    return io::Error{operands.failure()};
  double least = 1e30;
  // Which sums are quicker is not known; bf16 products have only one kind.
  for (bool quickSums : {false, true}) {
    if (quickSums && dtype == MLA_DTYPE_BF16)
      continue;
    CublasLtProduct product;
    if (io::Status status = product.open(dtype, size, quickSums); !status)
      return io::Error{status.error()};
    for (size_t i = 0; i < product.numAlgorithms(); ++i) {
      auto run = [&] {
        return product.run(i, a->data, b->data, out->data, timing.stream);
      };
      io::Result<double> took = timing.leastOf(5, run, /*cold=*/false);
      if (took && *took < least) {
        least = *took;
        load = loadDuring(10, run);
      }
    }
    cudaStreamSynchronize(timing.stream); // its workspace goes
  }
  if (least == 1e30)
    return io::Error{"expected an algorithm of cuBLASLt that works, got none"};
  double n = static_cast<double>(size);
  return 2 * n * n * n / least;
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
  result.reading = reading;
  double flops = 0;
  io::Result<double> least = timing.leastOf(
      5, [&] { return timing.kernels.multiplyAdd(flops, timing.stream); },
      /*cold=*/true);
  if (!least)
    return io::Error{least.error()};
  result.f32Peak = flops / *least;
  std::optional<Load> ignored;
  for (auto [name, dtype, peak, load] :
       {std::tuple{"bf16", uint32_t{MLA_DTYPE_BF16}, &result.bf16Peak,
                   &result.multiplying},
        std::tuple{"fp8", uint32_t{MLA_DTYPE_F8E4M3FN}, &result.fp8Peak,
                   &ignored}}) {
    io::Result<double> flops = productPeak(dtype, *load);
    if (flops)
      *peak = *flops;
    else
      result.missing.push_back(std::string("no ceiling of ") + name +
                               " products: " + flops.error());
  }
  if (io::Status status = measureSmallest(result); !status)
    return io::Error{status.error()};
  return result;
}
