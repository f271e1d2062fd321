//===- CudaGraph.cpp - Calls captured in CUDA graphs ----------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph.h"

#include <cuda_runtime_api.h>
#include <vector>

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
    if (io::Status counted = countNodes(); !counted)
      return counted;
    if (cudaError_t error = cudaGraphInstantiate(&executable, graph, 0))
      return cudaFailed("instantiate the graph", error);
    return {};
  }

  std::optional<int64_t> countKernels() const override { return kernels; }

  io::Status replay() override {
    if (cudaError_t error = cudaGraphLaunch(executable, stream))
      return cudaFailed("launch the graph", error);
    return {};
  }

private:
  io::Status countNodes() {
    size_t count = 0;
    cudaError_t error = cudaGraphGetNodes(graph, nullptr, &count);
    std::vector<cudaGraphNode_t> nodes(count);
    // Without room for any it would count again.
    if (error == cudaSuccess && count)
      error = cudaGraphGetNodes(graph, nodes.data(), &count);
    if (error != cudaSuccess)
      return cudaFailed("list the graph's nodes", error);
    int64_t others = 0;
    for (cudaGraphNode_t node : nodes) {
      cudaGraphNodeType type;
      if (cudaError_t failed = cudaGraphNodeGetType(node, &type))
        return cudaFailed("tell a node's type", failed);
      kernels += type == cudaGraphNodeTypeKernel;
      // cuBLASLt may clear what its parts add to.
      others +=
          type != cudaGraphNodeTypeKernel && type != cudaGraphNodeTypeMemset;
    }
    if (kernels == 0)
      return io::Error{"expected kernels in the graph, got none"};
    if (others)
      return io::Error{"expected kernels and fills in the graph, got " +
                       std::to_string(others) + " other nodes"};
    return {};
  }

  mla_context *ctx;
  cudaStream_t stream = nullptr;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  int64_t kernels = 0;
};

} // namespace

io::Result<std::unique_ptr<Graph>> capture(mla_context *ctx, const Call &call) {
  auto graph = std::make_unique<CudaGraph>(ctx);
  if (io::Status recorded = graph->record(call); !recorded)
    return io::Error{recorded.error()};
  return std::unique_ptr<Graph>(std::move(graph));
}

} // namespace mla::graph
