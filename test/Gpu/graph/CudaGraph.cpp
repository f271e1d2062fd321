//===- CudaGraph.cpp - Calls captured in CUDA graphs ----------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph.h"

#include <cuda_runtime_api.h>

namespace mla::graph {
namespace {

io::Error cudaFailed(const char *doing, cudaError_t error) {
  return {std::string("expected CUDA to ") + doing +
          ", got: " + cudaGetErrorString(error)};
}

class CudaGraph : public Graph {
public:
  explicit CudaGraph(mla_context *ctx) : ctx(ctx) {}
  ~CudaGraph() override {
    mla_context_set_stream(ctx, nullptr);
    if (executable)
      cudaGraphExecDestroy(executable);
    if (graph)
      cudaGraphDestroy(graph);
    if (stream)
      cudaStreamDestroy(stream);
  }

  io::Status record(const Call &call) {
    if (cudaError_t error =
            cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking))
      return cudaFailed("make a stream", error);
    if (mla_context_set_stream(ctx, stream) != MLA_STATUS_OK)
      return io::Error{mla_last_error(ctx)};
    if (cudaError_t error =
            cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal))
      return cudaFailed("begin a capture", error);
    io::Status called = call();
    // Always ended: a stream that goes on capturing breaks the tests after it.
    cudaError_t ended = cudaStreamEndCapture(stream, &graph);
    if (!called)
      return called;
    if (ended != cudaSuccess)
      return cudaFailed("capture the entry", ended);
    size_t nodes = 0;
    if (cudaError_t error = cudaGraphGetNodes(graph, nullptr, &nodes))
      return cudaFailed("count the graph's nodes", error);
    if (nodes == 0)
      return io::Error{"capture: expected launches in the graph, got none"};
    if (cudaError_t error = cudaGraphInstantiate(&executable, graph, 0))
      return cudaFailed("instantiate the graph", error);
    return {};
  }

  io::Status replay() override {
    if (cudaError_t error = cudaGraphLaunch(executable, stream))
      return cudaFailed("launch the graph", error);
    return {};
  }

private:
  mla_context *ctx;
  cudaStream_t stream = nullptr;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
};

} // namespace

io::Result<std::unique_ptr<Graph>> capture(mla_context *ctx, const Call &call) {
  auto graph = std::make_unique<CudaGraph>(ctx);
  if (io::Status recorded = graph->record(call); !recorded)
    return io::Error{recorded.error()};
  return std::unique_ptr<Graph>(std::move(graph));
}

} // namespace mla::graph
