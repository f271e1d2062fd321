//===- Threads.h - Loops over the CPU's threads ---------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// OpenMP where the library is built with it (MLA_OPENMP), else one thread.
// Which thread takes which turn of a loop is open; a result may depend on how
// many threads there are and on nothing else of them.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CPU_THREADS_H
#define MLA_RUNTIME_CPU_THREADS_H

#include "core/Context.h"

#include <algorithm>
#include <cstdint>

#ifdef _OPENMP
#include <omp.h>
#endif

namespace mla {
namespace cpu {

/// Threads that the context's calls may use: all that OpenMP has, or the
/// context's limit (of "SMs") if that is less.
inline int64_t maxThreads(const mla_context &ctx) {
#ifdef _OPENMP
  int64_t all = omp_get_max_threads();
  return ctx.smLimit > 0 ? std::min<int64_t>(ctx.smLimit, all) : all;
#else
  (void)ctx;
  return 1;
#endif
}

/// Of those, how many are worth waking for `work` multiply-adds: waking one
/// takes microseconds, in which it would have done a million.
inline int64_t threadsFor(const mla_context &ctx, double work) {
  const double least = 1 << 20;
  auto useful = static_cast<int64_t>(std::min(work / least, 1e6));
  return std::max<int64_t>(1, std::min(maxThreads(ctx), useful));
}

/// Calls body(i, thread) for each i < count, with thread < threads.
template <typename Body>
void parallelFor(int64_t threads, int64_t count, const Body &body) {
  if (threads <= 1 || count <= 1) {
    for (int64_t i = 0; i < count; ++i)
      body(i, int64_t{0});
    return;
  }
#ifdef _OPENMP
#pragma omp parallel for schedule(dynamic)                                     \
    num_threads(static_cast<int>(threads))
  for (int64_t i = 0; i < count; ++i)
    body(i, static_cast<int64_t>(omp_get_thread_num()));
#endif
}

} // namespace cpu
} // namespace mla

#endif // MLA_RUNTIME_CPU_THREADS_H
