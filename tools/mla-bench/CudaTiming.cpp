//===- CudaTiming.cpp - What a GPU needs for work -------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CudaTiming.h"

#include <algorithm>
#include <vector>

using namespace mla;
using namespace mla::bench;

/// Written, and then as much read, before each repetition: several times the
/// L2 of any GPU.
static constexpr uint64_t flushBytes = uint64_t{256} << 20;

io::Status Errors::status(const char *doing) const {
  if (first == cudaSuccess)
    return {};
  cudaGetLastError(); // not to be met again
  return io::Error{std::string(doing) + ": expected CUDA to do it, got: " +
                   cudaGetErrorString(first)};
}

CudaTiming::~CudaTiming() {
  cudaFree(flushed);
  cudaFree(kernels.sink);
  if (begin)
    cudaEventDestroy(begin);
  if (end)
    cudaEventDestroy(end);
  if (stream)
    cudaStreamDestroy(stream);
}

io::Status CudaTiming::open(int sms) {
  void *memory = nullptr, *sink = nullptr;
  Errors errors;
  errors << cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking)
         << cudaEventCreate(&begin) << cudaEventCreate(&end)
         << cudaMalloc(&memory, 2 * flushBytes) << cudaMalloc(&sink, 256);
  flushed = static_cast<char *>(memory);
  kernels = {sms, static_cast<uint32_t *>(sink)};
  if (io::Status status = errors.status("--device"); !status)
    return status;
  // What is read later was written.
  errors << cudaMemsetAsync(flushed, 1, 2 * flushBytes, stream)
         << cudaMemsetAsync(sink, 0, 256, stream)
         << cudaStreamSynchronize(stream);
  return errors.status("--device");
}

// Reading lines that are clean afterwards leaves nothing to be written back
// while the work runs.
cudaError_t CudaTiming::flush() const {
  cudaError_t error = kernels.write(flushed, flushBytes, stream);
  return error ? error : kernels.read(flushed + flushBytes, flushBytes, stream);
}

io::Result<double>
CudaTiming::timeOnce(const std::function<cudaError_t()> &work,
                     bool cold) const {
  float milliseconds = 0;
  Errors errors;
  if (cold)
    errors << flush();
  errors << cudaEventRecord(begin, stream) << work()
         << cudaEventRecord(end, stream) << cudaEventSynchronize(end)
         << cudaEventElapsedTime(&milliseconds, begin, end);
  if (io::Status status = errors.status("timing"); !status)
    return io::Error{status.error()};
  return milliseconds * 1e-3;
}

io::Result<double> CudaTiming::leastOf(int64_t count,
                                       const std::function<cudaError_t()> &work,
                                       bool cold) const {
  double least = 1e30;
  for (int64_t i = 0; i < count; ++i) {
    io::Result<double> took = timeOnce(work, cold);
    if (!took)
      return took;
    least = std::min(least, *took);
  }
  return least;
}

/// Nodes that give the device something to do.
static cudaError_t countLaunches(cudaGraph_t graph, int64_t &launches) {
  size_t count = 0;
  Errors errors;
  errors << cudaGraphGetNodes(graph, nullptr, &count);
  std::vector<cudaGraphNode_t> nodes(count);
  if (count > 0)
    errors << cudaGraphGetNodes(graph, nodes.data(), &count);
  launches = 0;
  for (cudaGraphNode_t node : nodes) {
    cudaGraphNodeType type = cudaGraphNodeTypeEmpty;
    errors << cudaGraphNodeGetType(node, &type);
    launches += type == cudaGraphNodeTypeKernel ||
                type == cudaGraphNodeTypeMemcpy ||
                type == cudaGraphNodeTypeMemset;
  }
  return errors.error();
}

io::Status CudaTiming::capture(const std::function<cudaError_t()> &work,
                               Graph &graph) const {
  cudaGraph_t captured = nullptr;
  Errors errors;
  errors << cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal)
         << work() << cudaStreamEndCapture(stream, &captured);
  io::Status status = errors.status("capture");
  if (status)
    status = (errors << countLaunches(captured, graph.launches)
                     << cudaGraphInstantiate(&graph.executable, captured, 0)
                     << cudaGraphUpload(graph.executable, stream))
                 .status("capture");
  if (captured)
    cudaGraphDestroy(captured);
  return status;
}
