/*===- tensor.h - The tensor that crosses the C ABI -------------------------===
 *
 * Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===--------------------------------------------------------------------------===*/

#ifndef MLA_RUNTIME_TENSOR_H
#define MLA_RUNTIME_TENSOR_H

#include <stdint.h>

#if defined(_WIN32)
#error "the runtime's C ABI is defined for ELF platforms only"
#endif
#define MLA_EXPORT __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* Result of every function that can fail. 0 is success. */
typedef int32_t mla_status;
enum {
  MLA_STATUS_OK = 0,
  MLA_STATUS_INVALID_ARGUMENT =
      1, /* a caller's mistake; the text names the argument */
  MLA_STATUS_UNIMPLEMENTED = 2, /* valid, but not by this runtime or backend */
  MLA_STATUS_RESOURCE_EXHAUSTED =
      3, /* a workspace or an allocation is too small */
  MLA_STATUS_FAILED_PRECONDITION =
      4,                    /* the call is out of order, or of another ABI */
  MLA_STATUS_NOT_FOUND = 5, /* a file, symbol, entry or backend is missing */
  MLA_STATUS_DATA_ERROR =
      6, /* a bad page, slot or position was met in device data */
  MLA_STATUS_INTERNAL = 7 /* a defect of ours, or the device failed */
};

/* Element types. The codes never change; those without a kernel are reserved.
 */
enum {
  MLA_DTYPE_NONE = 0,
  MLA_DTYPE_F32 = 1,
  MLA_DTYPE_F16 = 2,
  MLA_DTYPE_BF16 = 3,
  MLA_DTYPE_F8E4M3FN = 4,
  MLA_DTYPE_F8E5M2 = 5,
  MLA_DTYPE_F8E4M3FNUZ = 6,
  MLA_DTYPE_F8E5M2FNUZ = 7,
  MLA_DTYPE_F8E8M0FNU = 8,
  MLA_DTYPE_F4E2M1FN = 9, /* two a byte */
  MLA_DTYPE_F64 = 10,
  MLA_DTYPE_I8 = 11,
  MLA_DTYPE_I32 = 12,
  MLA_DTYPE_I64 = 13,
  MLA_DTYPE_U8 = 14,
  MLA_DTYPE_BOOL = 15 /* one byte */
};

/* Device types, numbered as in DLPack; 0 is the device of the context that the
 * tensor is used with, for code that doesn't know it. */
enum { MLA_DEVICE_CONTEXT = 0, MLA_DEVICE_CPU = 1, MLA_DEVICE_CUDA = 2 };

enum { MLA_MAX_RANK = 6 };

/* Bits of mla_tensor.flags. */
enum { MLA_TENSOR_READ_ONLY = 1 /* writing it is refused */ };

/* A strided view of memory that somebody else owns. Frozen: 152 bytes. */
typedef struct mla_tensor {
  void *data;           /* may be null when some dim is 0 */
  int32_t device_type;  /* MLA_DEVICE_* */
  int32_t device_id;    /* 0 on the CPU */
  uint32_t dtype;       /* MLA_DTYPE_* */
  int32_t rank;         /* 0 .. MLA_MAX_RANK */
  int64_t shape[6];     /* elements; entries from `rank` on are ignored */
  int64_t strides[6];   /* elements, not bytes; never null as in DLPack */
  uint64_t byte_offset; /* of element 0 from `data` */
  uint64_t flags;       /* MLA_TENSOR_*; unknown bits are refused */
  uint64_t reserved[2]; /* zero */
} mla_tensor;

/* The state of one stream of work; see runtime.h. */
typedef struct mla_context mla_context;

#ifdef __cplusplus
}
#endif

#endif /* MLA_RUNTIME_TENSOR_H */
