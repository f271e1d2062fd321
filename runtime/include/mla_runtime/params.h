/*===- params.h - Parameter structs of the operations -----------------------===
 *
 * Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===--------------------------------------------------------------------------===
 *
 * One struct and one function an operation, expanded from ops.def, which
 * documents every field; docs/runtime-abi.md shows them written out. The rules
 * for all:
 *
 *  - `struct_size` is sizeof the struct that the caller was compiled with.
 * Missing fields are absent. Non-zero bytes beyond what the callee knows are
 * refused with MLA_STATUS_UNIMPLEMENTED: a runtime never ignores a field that
 * it doesn't know.
 *  - Zero means absent, always: a null tensor, a 0, a 0.0, a null string.
 *  - Tensors and strings are borrowed for the call only; a backend that runs
 *    asynchronously keeps the data pointers, never the descriptors.
 *===--------------------------------------------------------------------------===*/

#ifndef MLA_RUNTIME_PARAMS_H
#define MLA_RUNTIME_PARAMS_H

#include "mla_runtime/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MLA_OP_BEGIN(op, since, doc)                                           \
  typedef struct mla_##op##_params {                                           \
    uint64_t struct_size;
#define MLA_TENSOR(op, field, role, presence, dtypes, dims, since, doc)        \
  const mla_tensor *field;
#define MLA_CACHE(op, field, role, presence, since, doc)                       \
  const mla_tensor *field##_latent;                                            \
  const mla_tensor *field##_pe;                                                \
  const mla_tensor *field##_scales;
#define MLA_I64(op, field, presence, since, doc) int64_t field;
#define MLA_F64(op, field, presence, since, doc) double field;
#define MLA_STR(op, field, presence, since, doc) const char *field;
#define MLA_OP_END(op)                                                         \
  }                                                                            \
  mla_##op##_params;
#include "mla_runtime/ops.def"

/* Each checks its arguments, and in MLA_MODE_RUN enqueues the work on the
 * context's stream. Returns the context's sticky status (see runtime.h). */
#define MLA_OP_BEGIN(op, since, doc)                                           \
  MLA_EXPORT mla_status mla_##op(mla_context *ctx,                             \
                                 const mla_##op##_params *params);
#include "mla_runtime/ops.def"

#ifdef __cplusplus
}
#endif

#endif /* MLA_RUNTIME_PARAMS_H */
