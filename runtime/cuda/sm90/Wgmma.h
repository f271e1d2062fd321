//===- Wgmma.h - Matrix products of a warpgroup ---------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// wgmma.mma_async (PTX ISA, "Asynchronous Warpgroup Level Matrix
// Instructions"): four warps multiply 64 x 16 by 16 x N, both in shared memory,
// and go on before it is done. Warp w has the rows 16 w to 16 w + 15 of the
// sum: lane l in d[4 j], d[4 j + 1] row l / 4, columns 8 j + 2 (l % 4) + {0,
// 1}; in d[4 j + 2], d[4 j + 3] the same of row l / 4 + 8.
//
// Matrices lie in boxes of 64 columns, a row 128 bytes, whose 16-byte units are
// swizzled as TMA does it: unit u of row r at u ^ (r % 8). Boxes start at
// multiples of 1024 bytes.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_SM90_WGMMA_H
#define MLA_RUNTIME_CUDA_SM90_WGMMA_H

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>
#include <type_traits>

namespace mla {
namespace cuda {
namespace sm90 {

template <typename T> constexpr bool isHalf = std::is_same<T, __half>::value;

constexpr int boxRowBytes = 128;
constexpr int boxColumns = 64; ///< Of 16-bit elements.
constexpr int boxBytes = 64 * boxRowBytes;
constexpr int eightRows = 8 * boxRowBytes; ///< What the swizzle repeats after.

/// A matrix in boxes as the instructions take it, or what of that isn't the
/// same for all: `leading` bytes are between boxes, which counts only where the
/// summed dimension is that of the rows. Places in it are `bytes / 16` further.
__device__ inline uint32_t describe(uint32_t address, int leading = boxBytes) {
  return static_cast<uint32_t>(leading / 16) << 16 | (address & 0x3ffff) / 16;
}
__device__ inline uint64_t descriptor(uint32_t matrix) {
  constexpr uint32_t swizzleOf128Bytes = 1u << 30;
  return static_cast<uint64_t>(swizzleOf128Bytes | eightRows / 16) << 32 |
         matrix;
}
/// The value that all lanes of a warp have, such that the compiler knows it to
/// be the same: the instructions take descriptors from registers that a warp
/// has once, and to bring each there takes longer than a product of 64 columns.
__device__ inline uint32_t uniform(uint32_t value) {
  return __reduce_max_sync(~0u, value);
}

/// Registers written so far are seen by the products that follow.
__device__ inline void beginProducts() {
  asm volatile("wgmma.fence.sync.aligned;" : : : "memory");
}
/// Ends a group of products.
__device__ inline void commitProducts() {
  asm volatile("wgmma.commit_group.sync.aligned;" : : : "memory");
}
/// Waits until at most the last `Pending` groups are under way.
template <int Pending> __device__ inline void waitForProducts() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" : : "n"(Pending) : "memory");
}
/// Keeps the compiler from moving uses of `d` across this place: it doesn't
/// know when a product is done.
template <int N> __device__ inline void pin(float (&d)[N]) {
#pragma unroll
  for (int i = 0; i < N; ++i)
    asm volatile("" : "+f"(d[i]) : : "memory");
}
/// The same of what products read.
template <int N> __device__ inline void pin(uint32_t (&a)[N]) {
#pragma unroll
  for (int i = 0; i < N; ++i)
    asm volatile("" : "+r"(a[i]) : : "memory");
}

#define MLA_TEN(t)                                                             \
  "%" #t "0, %" #t "1, %" #t "2, %" #t "3, %" #t "4, %" #t "5, %" #t "6, "     \
  "%" #t "7, %" #t "8, %" #t "9, "
#define MLA_LIST32 MLA_TEN() MLA_TEN(1) MLA_TEN(2) "%30, %31"
#define MLA_LIST64                                                             \
  MLA_TEN()                                                                    \
  MLA_TEN(1) MLA_TEN(2) MLA_TEN(3) MLA_TEN(4) MLA_TEN(5) "%60, %61, %62, %63"
#define MLA_LIST128                                                            \
  MLA_TEN()                                                                    \
  MLA_TEN(1)                                                                   \
  MLA_TEN(2)                                                                   \
  MLA_TEN(3)                                                                   \
  MLA_TEN(4)                                                                   \
  MLA_TEN(5)                                                                   \
  MLA_TEN(6)                                                                   \
  MLA_TEN(7)                                                                   \
  MLA_TEN(8)                                                                   \
  MLA_TEN(9)                                                                   \
  MLA_TEN(10) MLA_TEN(11) "%120, %121, %122, %123, %124, %125, %126, %127"

#define MLA_D8(i)                                                              \
  "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]),  \
      "+f"(d[i + 5]), "+f"(d[i + 6]), "+f"(d[i + 7])
#define MLA_D32(i) MLA_D8(i), MLA_D8(i + 8), MLA_D8(i + 16), MLA_D8(i + 24)
#define MLA_D64(i) MLA_D32(i), MLA_D32(i + 32)
#define MLA_D128(i) MLA_D64(i), MLA_D64(i + 64)

/// One product of T, `COUNT` registers: operands a and b follow the sums, and
/// then whether these are added to.
#define MLA_WGMMA(N, TYPE, COUNT, A, B, ADD, TRANSPOSED)                       \
  asm volatile("{\n"                                                           \
               ".reg .pred add;\n"                                             \
               "setp.ne.b32 add, %" #ADD ", 0;\n"                              \
               "wgmma.mma_async.sync.aligned.m64n" #N "k16.f32." TYPE "." TYPE \
               " {" MLA_LIST##COUNT "}, %" #A ", %" #B                         \
                                    ", add, 1, 1, 0, " #TRANSPOSED ";\n"       \
                                    "}"                                        \
               : MLA_D##COUNT(0)                                               \
               : "l"(descriptor(a)), "l"(descriptor(b)), "r"(add))

/// The same with `a` in registers: four lists of operands follow the sums'.
#define MLA_WGMMA_REGISTERS(N, TYPE, COUNT, A, B, ADD)                         \
  asm volatile("{\n"                                                           \
               ".reg .pred add;\n"                                             \
               "setp.ne.b32 add, %" #ADD ", 0;\n"                              \
               "wgmma.mma_async.sync.aligned.m64n" #N "k16.f32." TYPE "." TYPE \
               " {" MLA_LIST##COUNT "}, {" A "}, %" #B ", add, 1, 1, 1;\n"     \
                                    "}"                                        \
               : MLA_D##COUNT(0)                                               \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]),                   \
                 "l"(descriptor(b)), "r"(add))

/// d = a b^T, or d += a b^T where `add`: rows of both are 16 columns of boxes.
template <typename T>
__device__ inline void multiplyRows(float (&d)[32], uint32_t a, uint32_t b,
                                    int add) {
  if constexpr (!isHalf<T>)
    MLA_WGMMA(64, "bf16", 32, 32, 33, 34, 0);
  else
    MLA_WGMMA(64, "f16", 32, 32, 33, 34, 0);
}

/// d = a b, or d += a b where `add`: b are 16 rows of boxes side by side.
template <typename T>
__device__ inline void multiplyColumns(float (&d)[128], uint32_t a, uint32_t b,
                                       int add) {
  if constexpr (!isHalf<T>)
    MLA_WGMMA(256, "bf16", 128, 128, 129, 130, 1);
  else
    MLA_WGMMA(256, "f16", 128, 128, 129, 130, 1);
}
template <typename T>
__device__ inline void multiplyColumns(float (&d)[64], uint32_t a, uint32_t b,
                                       int add) {
  if constexpr (!isHalf<T>)
    MLA_WGMMA(128, "bf16", 64, 64, 65, 66, 1);
  else
    MLA_WGMMA(128, "f16", 64, 64, 65, 66, 1);
}

/// The same; `a` is 16 columns, pairs of them as the sums of a product lie:
/// of row l / 4 and of the one 8 below, then the 8 columns behind.
template <typename T>
__device__ inline void multiplyColumns(float (&d)[128], const uint32_t *a,
                                       uint32_t b, int add) {
  if constexpr (!isHalf<T>)
    MLA_WGMMA_REGISTERS(256, "bf16", 128, "%128, %129, %130, %131", 132, 133);
  else
    MLA_WGMMA_REGISTERS(256, "f16", 128, "%128, %129, %130, %131", 132, 133);
}

#undef MLA_WGMMA
#undef MLA_WGMMA_REGISTERS
#undef MLA_D128
#undef MLA_D64
#undef MLA_D32
#undef MLA_D8
#undef MLA_LIST128
#undef MLA_LIST64
#undef MLA_LIST32
#undef MLA_TEN

} // namespace sm90
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_SM90_WGMMA_H
