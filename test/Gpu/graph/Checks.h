//===- Checks.h - What a recorded step is held to ---------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_GPU_CHECKS_H
#define MLA_TEST_GPU_CHECKS_H

#include "DecodeStep.h"
#include "Graph.h"

namespace mla::graph {

/// A step that was recorded, and the same one that is called anew each time, on
/// contexts and buffers of their own.
struct Recorded {
  mla_context *ctx;
  DecodeStep &step;
  Graph &graph;
  mla_context *eagerCtx;
  DecodeStep &eager;
};

/// Replays the graph `replays` times over all batches: bit for bit what the
/// calls give, and not the same for other lengths.
io::Status checkReplays(const Recorded &recorded,
                        const std::vector<Metadata> &batches, int64_t replays);

/// Replays it over stale batches: nothing is written outside of outputs and
/// caches, a cache row is as a good batch leaves it or as it was, sequences
/// that are right come out right (in other bits at most where the stale lengths
/// may divide the work in another way), mla_context_check tells, and the next
/// good batch is right, bit for bit.
io::Status checkStale(const Recorded &recorded, const StepSizes &sizes,
                      const Metadata &good);

} // namespace mla::graph

#endif // MLA_TEST_GPU_CHECKS_H
