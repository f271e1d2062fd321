//===- Convert.h - f16, bf16 and fp8 to and from f32, on the device -------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Widening is exact. Narrowing rounds to the nearest, ties to even; e4m3fn has
// no infinity and saturates (docs/numerics.md, "fp8").
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_CONVERT_H
#define MLA_RUNTIME_CUDA_CONVERT_H

#include "Tensor.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

namespace mla {
namespace cuda {

/// Storage of an fp8 e4m3fn.
struct Fp8 {
  __nv_fp8_storage_t bits;
};

__device__ inline float widen(float value) { return value; }
__device__ inline float widen(__half value) { return __half2float(value); }
__device__ inline float widen(__nv_bfloat16 value) {
  return __bfloat162float(value);
}
__device__ inline float widen(Fp8 value) {
  return __half2float(__half(__nv_cvt_fp8_to_halfraw(value.bits, __NV_E4M3)));
}

template <typename T> __device__ T narrow(float value);
template <> __device__ inline float narrow<float>(float value) { return value; }
template <> __device__ inline __half narrow<__half>(float value) {
  return __float2half_rn(value);
}
template <> __device__ inline __nv_bfloat16 narrow<__nv_bfloat16>(float value) {
  return __float2bfloat16_rn(value);
}
template <> __device__ inline Fp8 narrow<Fp8>(float value) {
  return {__nv_cvt_float_to_fp8(value, __NV_SATFINITE, __NV_E4M3)};
}

/// Calls `visit` with a null pointer to the C++ type of `dtype`: f32, f16, bf16
/// or f8E4M3FN.
template <typename Visitor>
__host__ __device__ void visitType(uint32_t dtype, Visitor visit) {
  switch (dtype) {
  case MLA_DTYPE_F32:
    return visit(static_cast<float *>(nullptr));
  case MLA_DTYPE_F16:
    return visit(static_cast<__half *>(nullptr));
  case MLA_DTYPE_BF16:
    return visit(static_cast<__nv_bfloat16 *>(nullptr));
  default:
    return visit(static_cast<Fp8 *>(nullptr));
  }
}

/// The element at `address`, of one of the types above.
__device__ inline float loadElement(const char *address, uint32_t dtype) {
  switch (dtype) {
  case MLA_DTYPE_F32:
    return *reinterpret_cast<const float *>(address);
  case MLA_DTYPE_F16:
    return widen(*reinterpret_cast<const __half *>(address));
  case MLA_DTYPE_BF16:
    return widen(*reinterpret_cast<const __nv_bfloat16 *>(address));
  default:
    return widen(*reinterpret_cast<const Fp8 *>(address));
  }
}

__device__ inline void storeElement(char *address, uint32_t dtype,
                                    float value) {
  switch (dtype) {
  case MLA_DTYPE_F32:
    *reinterpret_cast<float *>(address) = value;
    return;
  case MLA_DTYPE_F16:
    *reinterpret_cast<__half *>(address) = narrow<__half>(value);
    return;
  case MLA_DTYPE_BF16:
    *reinterpret_cast<__nv_bfloat16 *>(address) = narrow<__nv_bfloat16>(value);
    return;
  default:
    *reinterpret_cast<Fp8 *>(address) = narrow<Fp8>(value);
    return;
  }
}

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_CONVERT_H
