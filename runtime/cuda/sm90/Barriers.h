//===- Barriers.h - Copies of boxes and the barriers that tell of them ----===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// mbarriers and TMA (PTX ISA, "mbarrier" and "cp.async.bulk.tensor"). CUDA
// C++'s words for them, in cuda::ptx, may be moved across a product, which
// is volatile and touches no memory that the compiler knows of: these may not.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_SM90_BARRIERS_H
#define MLA_RUNTIME_CUDA_SM90_BARRIERS_H

#include <cuda.h>

#include <cstdint>

namespace mla {
namespace cuda {
namespace sm90 {

/// An mbarrier in shared memory. Its phases end when as many threads arrived as
/// it expects, and as many bytes.
class Barrier {
public:
  Barrier() = default;

  /// One thread does it, and makes it known by a fenceInits() and a barrier of
  /// the block.
  __device__ void init(int arrivals) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;"
                 :
                 : "r"(address()), "r"(arrivals)
                 : "memory");
  }
  __device__ static void fenceInits() {
    asm volatile("fence.mbarrier_init.release.cluster;" : : : "memory");
  }

  /// What the thread did before is seen by those that wait.
  __device__ void arrive() {
    asm volatile("mbarrier.arrive.release.cta.shared::cta.b64 _, [%0];"
                 :
                 : "r"(address())
                 : "memory");
  }
  /// The same, and the phase doesn't end before so many bytes were copied.
  __device__ void arriveExpecting(int bytes) {
    asm volatile(
        "mbarrier.arrive.expect_tx.release.cta.shared::cta.b64 _, [%0], %1;"
        :
        : "r"(address()), "r"(bytes)
        : "memory");
  }

  /// Arrives for the thread once the copies that it started by copyAsync() are
  /// done: those who wait see what they wrote. The thread itself goes on.
  __device__ void arriveAfterCopies() {
    asm volatile("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%0];"
                 :
                 : "r"(address())
                 : "memory");
  }

  /// The phase doesn't end before so many more bytes were copied.
  __device__ void expect(int bytes) {
    asm volatile("mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%0], %1;"
                 :
                 : "r"(address()), "r"(bytes)
                 : "memory");
  }

  /// Waits for the end of the phase of this parity: of phase 0, 2, ... or of
  /// 1, 3, ... The one before the first has ended.
  __device__ void wait(uint32_t parity) {
    while (!endsSoon(parity)) {
    }
  }

#define MLA_ASK_BARRIER(NAME, HOW)                                             \
  __device__ bool NAME(uint32_t parity) {                                      \
    uint32_t ended;                                                            \
    asm volatile("{\n"                                                         \
                 ".reg .pred ended;\n"                                         \
                 "mbarrier." HOW                                               \
                 ".parity.acquire.cta.shared::cta.b64 ended, [%1], %2;\n"      \
                 "selp.u32 %0, 1, 0, ended;\n"                                 \
                 "}"                                                           \
                 : "=r"(ended)                                                 \
                 : "r"(address()), "r"(parity)                                 \
                 : "memory");                                                  \
    return ended;                                                              \
  }

  /// Whether that phase has ended, without waiting.
  MLA_ASK_BARRIER(hasEnded, "test_wait")

  __device__ uint32_t address() const {
    return static_cast<uint32_t>(__cvta_generic_to_shared(&state));
  }

private:
  /// The same; if not, the thread is first suspended for a moment.
  MLA_ASK_BARRIER(endsSoon, "try_wait")
#undef MLA_ASK_BARRIER

  uint64_t state;
};

/// Copies the box at `column`, `row` of `page` to shared memory; `done` gets
/// the bytes of a whole box, also where it reaches beyond the tensor and has
/// zeros there.
__device__ inline void copyBox(uint32_t to, const CUtensorMap &map, int column,
                               int row, int page, const Barrier &done) {
  asm volatile("cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::"
               "complete_tx::bytes [%0], [%1, {%2, %3, %4}], [%5];"
               :
               : "r"(to), "l"(&map), "r"(column), "r"(row), "r"(page),
                 "r"(done.address())
               : "memory");
}

/// The same to all CTAs of a cluster of two, to the same place in each and with
/// the bytes for the same barrier.
__device__ inline void copyBoxToBoth(uint32_t to, const CUtensorMap &map,
                                     int column, int row, int page,
                                     const Barrier &done) {
  asm volatile("cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::"
               "complete_tx::bytes.multicast::cluster [%0], [%1, {%2, %3, "
               "%4}], [%5], %6;"
               :
               : "r"(to), "l"(&map), "r"(column), "r"(row), "r"(page),
                 "r"(done.address()), "h"(static_cast<uint16_t>(3))
               : "memory");
}

/// Copies so many bytes that lie in a line to shared memory. All are multiples
/// of 16.
__device__ inline void copyLine(uint32_t to, const void *from, int bytes,
                                const Barrier &done) {
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::"
               "bytes [%0], [%1], %2, [%3];"
               :
               : "r"(to), "l"(from), "r"(bytes), "r"(done.address())
               : "memory");
}

/// Fetches a box to L2.
__device__ inline void prefetchBox(const CUtensorMap &map, int column, int row,
                                   int page) {
  asm volatile("cp.async.bulk.prefetch.tensor.3d.L2.global.tile [%0, {%1, %2, "
               "%3}];"
               :
               : "l"(&map), "r"(column), "r"(row), "r"(page)
               : "memory");
}

/// CTAs of a cluster, and which of them this one is.
__device__ inline int clusterSize() {
  uint32_t size;
  asm("mov.u32 %0, %%cluster_nctaid.x;" : "=r"(size));
  return static_cast<int>(size);
}
__device__ inline int clusterRank() {
  uint32_t rank;
  asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return static_cast<int>(rank);
}
/// All threads of a cluster wait for each other.
__device__ inline void syncCluster() {
  asm volatile("barrier.cluster.arrive.release;\n"
               "barrier.cluster.wait.acquire;"
               :
               :
               : "memory");
}
/// Where CTA `rank` of the cluster has what this one has at `address`.
__device__ inline uint32_t addressIn(int rank, uint32_t address) {
  uint32_t there;
  asm("mapa.shared::cluster.u32 %0, %1, %2;"
      : "=r"(there)
      : "r"(address), "r"(rank));
  return there;
}
/// Arrives `count` times at the barrier at an address of addressIn(). It tells
/// only of what was read: a release for the cluster would wait for writes too.
__device__ inline void arriveAt(uint32_t barrier, int count) {
  asm volatile("mbarrier.arrive.shared::cluster.b64 _, [%0], %1;"
               :
               : "r"(barrier), "r"(count)
               : "memory");
}

/// Fetches what copyBox() of this map needs before its tensor's data.
__device__ inline void prefetchMap(const CUtensorMap &map) {
  asm volatile("prefetch.tensormap [%0];" : : "l"(&map) : "memory");
}

/// True in one lane of a whole warp, which the compiler knows to be one: what a
/// thread alone starts needs no loop over lanes.
__device__ inline bool isElected() {
  uint32_t elected;
  asm volatile("{\n"
               ".reg .pred elected;\n"
               "elect.sync _|elected, 0xffffffff;\n"
               "selp.u32 %0, 1, 0, elected;\n"
               "}"
               : "=r"(elected));
  return elected;
}

/// What the thread wrote to shared memory is seen by the tensor cores and by
/// TMA, once those who start them know that this was done.
__device__ inline void fenceSharedWrites() {
  asm volatile("fence.proxy.async.shared::cta;" : : : "memory");
}

/// What other threads wrote to global memory, and the thread knows of, is seen
/// by copies that it starts.
__device__ inline void fenceGlobalReads() {
  asm volatile("fence.proxy.async.global;" : : : "memory");
}

/// Registers a thread: of a warpgroup all of whose warps call it, in a kernel
/// that was compiled for more or for fewer.
template <int Count> __device__ inline void shrinkRegisters() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" : : "n"(Count));
}
template <int Count> __device__ inline void growRegisters() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" : : "n"(Count));
}

/// Four 8x8 matrices of 16-bit elements to shared memory: lane 8 * i + j gives
/// the address of row j of matrix i, and has of each the row lane / 4, columns
/// 2 * (lane % 4) + {0, 1}.
__device__ inline void storeMatrices(uint32_t address, uint32_t a, uint32_t b,
                                     uint32_t c, uint32_t d) {
  asm volatile(
      "stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};"
      :
      : "r"(address), "r"(a), "r"(b), "r"(c), "r"(d)
      : "memory");
}

} // namespace sm90
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_SM90_BARRIERS_H
