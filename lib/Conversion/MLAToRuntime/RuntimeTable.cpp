//===- RuntimeTable.cpp - The runtime as the compiler sees it -------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/Conversion/MLAToRuntime/RuntimeTable.h"

#include "mla_runtime/params.h"

#include <cstddef>

using namespace mla;

#define REQUIRED true
#define OPTIONAL false
#define FIELD(op, field, source, kind, presence)                               \
  {#field, source, RuntimeFieldKind::kind, presence,                           \
   offsetof(mla_##op##_params, field)},

#define MLA_OP_BEGIN(op, since, doc) static const RuntimeField op##Fields[] = {
#define MLA_TENSOR(op, field, role, presence, dtypes, dims, since, doc)        \
  FIELD(op, field, #field, Tensor, presence)
#define MLA_CACHE(op, field, role, presence, since, doc)                       \
  FIELD(op, field##_latent, #field, CacheLatent, presence)                     \
  FIELD(op, field##_pe, #field, CachePe, OPTIONAL)                             \
  FIELD(op, field##_scales, #field, CacheScales, OPTIONAL)
#define MLA_I64(op, field, presence, since, doc)                               \
  FIELD(op, field, #field, I64, presence)
#define MLA_F64(op, field, presence, since, doc)                               \
  FIELD(op, field, #field, F64, presence)
#define MLA_STR(op, field, presence, since, doc)                               \
  FIELD(op, field, #field, String, presence)
#define MLA_OP_END(op)                                                         \
  }                                                                            \
  ;
#include "mla_runtime/ops.def"

static const RuntimeOp runtimeOps[] = {
#define MLA_OP_BEGIN(op, since, doc)                                           \
  {#op, sizeof(mla_##op##_params), op##Fields},
#include "mla_runtime/ops.def"
};

llvm::ArrayRef<RuntimeOp> mla::getRuntimeOps() { return runtimeOps; }

const RuntimeOp *mla::lookupRuntimeOp(llvm::StringRef name) {
  for (const RuntimeOp &op : runtimeOps)
    if (op.name == name)
      return &op;
  return nullptr;
}
