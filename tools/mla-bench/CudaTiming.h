//===- CudaTiming.h - What a GPU needs for work -----------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every repetition starts with a cold L2 and a busy GPU: behind the kernels
// that flush the cache the host enqueues an event, the work and another event,
// so that what lies between the two is the device's time and not the host's.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_CUDATIMING_H
#define MLA_BENCH_CUDATIMING_H

#include "CudaKernels.h"
#include "io/Result.h"

#include <functional>
#include <string>

namespace mla::bench {

/// The first error of several calls.
class Errors {
public:
  Errors &operator<<(cudaError_t error) {
    if (first == cudaSuccess)
      first = error;
    return *this;
  }
  cudaError_t error() const { return first; }
  /// A sentence about what was being done. CUDA forgets the error.
  io::Status status(const char *doing) const;

private:
  cudaError_t first = cudaSuccess;
};

/// A captured call, gone with the last timer that replays it.
struct Graph {
  cudaGraphExec_t executable = nullptr;
  int64_t launches = 0; ///< Nodes that are kernels, copies or fills.
  Graph() = default;
  Graph(const Graph &) = delete;
  ~Graph() {
    if (executable)
      cudaGraphExecDestroy(executable);
  }
};

/// A stream of the current device on which work is timed.
class CudaTiming {
public:
  CudaTiming() = default;
  ~CudaTiming();
  CudaTiming(const CudaTiming &) = delete;

  io::Status open(int sms);
  /// Seconds of what `work` enqueues; after a flush of the L2 if `cold`.
  io::Result<double> timeOnce(const std::function<cudaError_t()> &work,
                              bool cold) const;
  /// The least of some repetitions.
  io::Result<double> leastOf(int64_t count,
                             const std::function<cudaError_t()> &work,
                             bool cold) const;
  /// Captures what `work` enqueues.
  io::Status capture(const std::function<cudaError_t()> &work,
                     Graph &graph) const;

  /// Enqueues what leaves the L2 without the work's data, and clean.
  cudaError_t flush() const;

  cudaStream_t stream = nullptr;
  CudaKernels kernels = {};

private:
  cudaEvent_t begin = nullptr, end = nullptr;
  char *flushed = nullptr; ///< Twice flushBytes.
};

} // namespace mla::bench

#endif // MLA_BENCH_CUDATIMING_H
