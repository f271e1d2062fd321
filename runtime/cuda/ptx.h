//===- ptx.h - Instructions that CUDA C++ has no words for ----------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Matrix products of a warp and asynchronous copies, from compute capability
// 8.0 on. Of a warp's lane `l`, group l / 4 and member l % 4, the fragments of
// mma are (PTX ISA, "Matrix fragments for mma.m16n8k16"):
//
//   a[0], a[1]: rows group, group + 8 of 16; columns 2 * member + {0, 1} of 16
//   a[2], a[3]: the same rows; those columns + 8
//   b[0], b[1]: k = 2 * member + {0, 1}, and + 8, of 16; column group of 8
//   d[0], d[1]: row group; columns 2 * member + {0, 1} of 8
//   d[2], d[3]: row group + 8; the same columns
//
// Lower halves of registers hold the lower columns, or k.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_PTX_H
#define MLA_RUNTIME_CUDA_PTX_H

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

namespace mla {
namespace cuda {

/// The address of something in shared memory, as the instructions take it.
__device__ inline uint32_t sharedAddress(const void *pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

/// Four 8x8 matrices of 16-bit elements: lane 8 * i + j gives the address of
/// row j, 16 aligned bytes, of matrix i. It gets of each the row lane / 4,
/// columns 2 * (lane % 4) + {0, 1}.
__device__ inline void loadMatrices(uint32_t (&to)[4], uint32_t address) {
  asm volatile(
      "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
      : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
      : "r"(address)
      : "memory");
}

/// The same, with each matrix transposed: the lane gets the rows
/// 2 * (lane % 4) + {0, 1} of column lane / 4.
__device__ inline void loadMatricesTransposed(uint32_t (&to)[4],
                                              uint32_t address) {
  asm volatile(
      "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
      : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
      : "r"(address)
      : "memory");
}

/// d += a * b, 16x8 += 16x16 * 16x8, by a warp.
template <typename T>
__device__ void multiplyAdd(float (&d)[4], const uint32_t (&a)[4], uint32_t b0,
                            uint32_t b1);
template <>
__device__ inline void multiplyAdd<__nv_bfloat16>(float (&d)[4],
                                                  const uint32_t (&a)[4],
                                                  uint32_t b0, uint32_t b1) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
               "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
               "{%0, %1, %2, %3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
template <>
__device__ inline void multiplyAdd<__half>(float (&d)[4],
                                           const uint32_t (&a)[4], uint32_t b0,
                                           uint32_t b1) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
               "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
               "{%0, %1, %2, %3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/// Starts a copy of 16 aligned bytes to shared memory; zeros are written
/// instead where not `valid`, and `from` isn't read.
__device__ inline void copyAsync(uint32_t to, const void *from, bool valid) {
  asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;"
               :
               : "r"(to), "l"(from), "r"(valid ? 16 : 0)
               : "memory");
}

/// The same, where `wanted`; without a branch.
__device__ inline void copyAsyncIf(bool wanted, uint32_t to, const void *from,
                                   bool valid) {
  asm volatile("{\n"
               ".reg .pred wanted;\n"
               "setp.ne.b32 wanted, %3, 0;\n"
               "@wanted cp.async.cg.shared.global.L2::128B [%0], [%1], 16, "
               "%2;\n"
               "}"
               :
               : "r"(to), "l"(from), "r"(valid ? 16 : 0),
                 "r"(static_cast<int>(wanted))
               : "memory");
}

/// The same of 4 aligned bytes.
__device__ inline void copyAsync4(uint32_t to, const void *from, bool valid) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;"
               :
               : "r"(to), "l"(from), "r"(valid ? 4 : 0)
               : "memory");
}

/// Ends a group of the thread's copies.
__device__ inline void commitCopies() {
  asm volatile("cp.async.commit_group;" : : : "memory");
}

/// Waits until at most the last `Pending` of the thread's groups are under way.
/// Other threads see the copies after a barrier.
template <int Pending> __device__ inline void waitForCopies() {
  asm volatile("cp.async.wait_group %0;" : : "n"(Pending) : "memory");
}

/// A barrier for the `count` threads (whole warps) that name the same `id` of 1
/// to 15; 0 is __syncthreads'.
__device__ inline void syncThreads(int id, int count) {
  asm volatile("bar.sync %0, %1;" : : "r"(id), "r"(count) : "memory");
}

/// The same value, computed here and not again where it is used.
__device__ inline int opaque(int value) {
  asm volatile("" : "+r"(value));
  return value;
}

/// Writes 16 bytes, if so: without a branch, behind which the instructions
/// would have to be waited for.
__device__ inline void storeIf(bool condition, void *to,
                               const uint32_t (&words)[4]) {
  asm volatile("{\n"
               ".reg .pred condition;\n"
               "setp.ne.u32 condition, %5, 0;\n"
               "@condition st.global.v4.b32 [%0], {%1, %2, %3, %4};\n"
               "}"
               :
               : "l"(to), "r"(words[0]), "r"(words[1]), "r"(words[2]),
                 "r"(words[3]), "r"(static_cast<uint32_t>(condition))
               : "memory");
}

/// 2^x, to 2 units in the last place; 0 for -infinity.
__device__ inline float exp2Approximate(float x) {
  float result;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}

/// Two floats rounded to 16 bits, `low` in the lower half.
template <typename T> __device__ uint32_t packPair(float low, float high);
template <>
__device__ inline uint32_t packPair<__nv_bfloat16>(float low, float high) {
  __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<uint32_t *>(&pair);
}
template <> __device__ inline uint32_t packPair<__half>(float low, float high) {
  __half2 pair = __floats2half2_rn(low, high);
  return *reinterpret_cast<uint32_t *>(&pair);
}

/// Two f16 widened, the lower one first.
__device__ inline float2 unpackHalves(uint32_t pair) {
  return __half22float2(*reinterpret_cast<const __half2 *>(&pair));
}

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_PTX_H
