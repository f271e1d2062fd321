//===- AppendTasks.h - What warps do for append's tokens ------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// What is slow is waiting for memory: a task reads its first packets, and at
// the same time whatever decides what becomes of them. Only a row of the table
// has to wait for something else, its position.
//
// A task has packets that it loads; start(), when its token turned out to be
// good, which says whether there is anything to write; store(), which writes
// them; next(), which says whether there are more to load and to store; and
// clear(), in place of all but the first, for a token that isn't good.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_APPENDTASKS_H
#define MLA_RUNTIME_CUDA_APPENDTASKS_H

#include "AppendKey.h"
#include "AppendQuery.h"

namespace mla {
namespace cuda {

template <typename V, typename Task>
__device__ void perform(const AppendVectors &a, uint32_t t, Task task) {
  Decision<V> decision(a, t);
  task.load(a);
  if (!decision.isGood(a, t))
    return task.clear(a);
  if (!task.start(a, decision))
    return;
  do
    task.store(a);
  while (task.next(a) && (task.load(a), true));
}

/// Task `task` of token `t`, by the calling warp.
template <typename V>
__device__ void performTask(const AppendVectors &a, uint32_t t, uint32_t task) {
  if (task < a.peTasks)
    return perform<V>(a, t, QueryPe<V>(a, t, task));
  task -= a.peTasks;
  if (task < a.nopeTasks)
    return perform<V>(a, t, QueryNope<V>(a, t, task));
  task -= a.nopeTasks;
  if (task < a.latentTasks)
    return perform<V>(a, t, KeyLatent<V>(a, t, task));
  // One token's are few lanes: where there is much to do, a warp has as many
  // tokens as it has lanes for, and the tasks of the others are empty.
  uint32_t lane = laneOfWarp();
  if (a.keyTokens > 1) {
    uint32_t other = a.byPeLanes.divide(lane);
    lane -= other * a.byPeLanes.number;
    if (t % a.keyTokens != 0 || other >= a.keyTokens || t + other >= a.tokens)
      return;
    t += other;
  }
  perform<V>(a, t, KeyPe<V>(a, t, lane));
}

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_APPENDTASKS_H
