//===- Graph.h - A call that is recorded once and replayed ------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_GPU_GRAPH_H
#define MLA_TEST_GPU_GRAPH_H

#include "io/Result.h"
#include "mla_runtime/runtime.h"

#include <functional>
#include <memory>
#include <optional>

namespace mla::graph {

/// What a call enqueued, to be done again with whatever its arguments hold by
/// then.
class Graph {
public:
  virtual ~Graph() = default;
  /// In the order of the context's stream.
  virtual io::Status replay() = 0;
  /// Kernels that a replay launches; nullopt where that isn't known.
  virtual std::optional<int64_t> countKernels() const { return std::nullopt; }
};

using Call = std::function<io::Status()>;

/// On the CPU there is nothing to record: a replay is the call again. So the
/// test of this folder is itself tested without a GPU.
std::unique_ptr<Graph> makeRepeatedCall(Call call);

/// Captures `call` into a CUDA graph, in the mode that forbids every other
/// thread what could disturb it, on a stream that becomes the context's while
/// the graph lives. The context must be of backend cuda. A graph that has other
/// nodes than kernels and fills is an error: what the host does or copies is
/// not replayed as the device goes.
io::Result<std::unique_ptr<Graph>> capture(mla_context *ctx, const Call &call);

} // namespace mla::graph

#endif // MLA_TEST_GPU_GRAPH_H
