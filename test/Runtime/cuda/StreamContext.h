//===- StreamContext.h - A context on a stream of its own, and graphs -----===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_CUDA_STREAMCONTEXT_H
#define MLA_TEST_RUNTIME_CUDA_STREAMCONTEXT_H

#include "TestContext.h"

#include <cuda_runtime_api.h>

#include <functional>
#include <string>
#include <vector>

namespace mla {
namespace test {

inline void expectCuda(cudaError_t error) {
  EXPECT_EQ(error, cudaSuccess) << cudaGetErrorString(error);
}

/// A stream that waits for no other.
struct TestStream {
  TestStream() {
    expectCuda(cudaSetDevice(testBackend().device));
    expectCuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  }
  ~TestStream() { cudaStreamDestroy(stream); }
  TestStream(const TestStream &) = delete;
  TestStream &operator=(const TestStream &) = delete;

  cudaStream_t stream = nullptr;
};

/// A context with such a stream.
struct StreamContext : TestStream {
  StreamContext() {
    EXPECT_EQ(mla_context_set_stream(ctx, stream), MLA_STATUS_OK);
  }

  TestContext ctx;
};

/// Calls captured in the global mode: whatever would allocate, wait or run
/// elsewhere makes the capture fail.
class CapturedGraph {
public:
  CapturedGraph(StreamContext &on, const std::function<mla_status()> &calls)
      : stream(on.stream) {
    expectCuda(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
    EXPECT_EQ(calls(), MLA_STATUS_OK) << on.ctx.error();
    cudaError_t error = cudaStreamEndCapture(stream, &graph);
    expectCuda(error);
    if (error == cudaSuccess)
      expectCuda(cudaGraphInstantiate(&executable, graph, 0));
  }
  ~CapturedGraph() {
    if (executable)
      cudaGraphExecDestroy(executable);
    if (graph)
      cudaGraphDestroy(graph);
  }
  CapturedGraph(const CapturedGraph &) = delete;
  CapturedGraph &operator=(const CapturedGraph &) = delete;

  explicit operator bool() const { return executable != nullptr; }

  void replay() const { expectCuda(cudaGraphLaunch(executable, stream)); }

  struct Nodes {
    size_t kernels = 0, fills = 0, others = 0;
  };
  Nodes countNodes() const {
    Nodes result;
    for (cudaGraphNode_t node : nodes()) {
      cudaGraphNodeType type;
      expectCuda(cudaGraphNodeGetType(node, &type));
      if (type == cudaGraphNodeTypeKernel)
        ++result.kernels;
      else if (type == cudaGraphNodeTypeMemset)
        ++result.fills;
      else
        ++result.others;
    }
    return result;
  }

  /// Of all its kernels, as the compiler calls them.
  std::string kernelNames() const {
    std::string names;
    for (cudaGraphNode_t node : nodes()) {
      cudaGraphNodeType type;
      expectCuda(cudaGraphNodeGetType(node, &type));
      if (type != cudaGraphNodeTypeKernel)
        continue;
      cudaKernelNodeParams params = {};
      const char *name = "";
      expectCuda(cudaGraphKernelNodeGetParams(node, &params));
      expectCuda(cudaFuncGetName(&name, params.func));
      names += std::string(names.empty() ? "" : " ") + name;
    }
    return names;
  }

private:
  std::vector<cudaGraphNode_t> nodes() const {
    size_t count = 0;
    expectCuda(cudaGraphGetNodes(graph, nullptr, &count));
    std::vector<cudaGraphNode_t> nodes(count);
    if (count > 0)
      expectCuda(cudaGraphGetNodes(graph, nodes.data(), &count));
    return nodes;
  }

  cudaStream_t stream;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
};

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_CUDA_STREAMCONTEXT_H
