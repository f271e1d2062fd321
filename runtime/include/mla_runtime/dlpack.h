/*===- dlpack.h - To and from DLPack ----------------------------------------===
 *
 * Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===--------------------------------------------------------------------------===
 *
 * Inline conversions for callers that have <dlpack/dlpack.h> on their include
 * path; the runtime itself doesn't need it. Nothing is copied but the
 * description: data stays where it is, and nobody's ownership changes.
 *===--------------------------------------------------------------------------===*/

#ifndef MLA_RUNTIME_DLPACK_H
#define MLA_RUNTIME_DLPACK_H

#include "mla_runtime/tensor.h"

#include <dlpack/dlpack.h>
#include <stddef.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* DLPack's type codes as numbers: older headers don't name the later ones. Of
 * no bits for f4E2M1FN, which no operation takes, and for codes that are no
 * type. */
static inline DLDataType mla_dtype_to_dlpack(uint32_t dtype) {
  /* Indexed by MLA_DTYPE_*: code, bits, lanes. */
  static const DLDataType types[] = {
      {0, 0, 0},  {2, 32, 1}, {2, 16, 1}, {4, 16, 1}, {10, 8, 1}, {12, 8, 1},
      {11, 8, 1}, {13, 8, 1}, {14, 8, 1}, {0, 0, 0},  {2, 64, 1}, {0, 8, 1},
      {0, 32, 1}, {0, 64, 1}, {1, 8, 1},  {6, 8, 1}};
  return types[dtype <= MLA_DTYPE_BOOL ? dtype : 0];
}

/* MLA_DTYPE_NONE when the runtime has no such type. */
static inline uint32_t mla_dtype_from_dlpack(DLDataType type) {
  for (uint32_t dtype = MLA_DTYPE_F32; dtype <= MLA_DTYPE_BOOL; ++dtype) {
    DLDataType known = mla_dtype_to_dlpack(dtype);
    if (known.bits != 0 && known.code == type.code && known.bits == type.bits &&
        known.lanes == type.lanes)
      return dtype;
  }
  return MLA_DTYPE_NONE;
}

/* Describes what `from` describes. Null on success, else a sentence, and `to`
 * is untouched. The result is writable; set MLA_TENSOR_READ_ONLY where it is
 * not. */
static inline const char *mla_tensor_from_dlpack(const DLTensor *from,
                                                 mla_tensor *to) {
  mla_tensor tensor;
  int64_t stride = 1;
  int i;
  if (!from || !to)
    return "mla_tensor_from_dlpack: expected two tensors, got null";
  if (from->ndim < 0 || from->ndim > MLA_MAX_RANK)
    return "mla_tensor_from_dlpack: ndim: expected a rank in [0, 6], got "
           "another";
  memset(&tensor, 0, sizeof(tensor));
  tensor.dtype = mla_dtype_from_dlpack(from->dtype);
  if (tensor.dtype == MLA_DTYPE_NONE)
    return "mla_tensor_from_dlpack: dtype: expected a type of this ABI of "
           "whole bytes, got another";
  if ((int)from->device.device_type != MLA_DEVICE_CPU &&
      (int)from->device.device_type != MLA_DEVICE_CUDA)
    return "mla_tensor_from_dlpack: device: expected CPU or CUDA, got another";
  if (from->ndim > 0 && !from->shape)
    return "mla_tensor_from_dlpack: shape: expected sizes, got null";
  tensor.data = from->data;
  tensor.device_type = (int32_t)from->device.device_type;
  tensor.device_id = (int32_t)from->device.device_id;
  tensor.rank = from->ndim;
  tensor.byte_offset = from->byte_offset;
  /* No strides means compact, row-major. */
  for (i = from->ndim - 1; i >= 0; --i) {
    tensor.shape[i] = from->shape[i];
    tensor.strides[i] = from->strides ? from->strides[i] : stride;
    stride = (int64_t)((uint64_t)stride * (uint64_t)from->shape[i]);
  }
  *to = tensor;
  return NULL;
}

/* The reverse. `to` points into `from`, which must outlive it and stay as it
 * is. Null on success, else a sentence. */
static inline const char *mla_tensor_to_dlpack(mla_tensor *from, DLTensor *to) {
  DLTensor tensor;
  if (!from || !to)
    return "mla_tensor_to_dlpack: expected two tensors, got null";
  if (from->rank < 0 || from->rank > MLA_MAX_RANK)
    return "mla_tensor_to_dlpack: rank: expected one in [0, 6], got another";
  tensor.dtype = mla_dtype_to_dlpack(from->dtype);
  if (tensor.dtype.bits == 0)
    return "mla_tensor_to_dlpack: dtype: expected a type of this ABI of whole "
           "bytes, got another";
  if (from->device_type != MLA_DEVICE_CPU &&
      from->device_type != MLA_DEVICE_CUDA)
    return "mla_tensor_to_dlpack: device_type: expected CPU or CUDA, got "
           "another";
  tensor.data = from->data;
  tensor.device.device_type = (DLDeviceType)from->device_type;
  tensor.device.device_id = from->device_id;
  tensor.ndim = from->rank;
  tensor.shape = from->shape;
  tensor.strides = from->strides;
  tensor.byte_offset = from->byte_offset;
  *to = tensor;
  return NULL;
}

#ifdef __cplusplus
}
#endif

#endif /* MLA_RUNTIME_DLPACK_H */
