//===- DLPackInC.c - mla_runtime/dlpack.h compiles as C11 -----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla_runtime/dlpack.h"

const char *fromDLPackInC(const DLTensor *from, mla_tensor *to);

const char *fromDLPackInC(const DLTensor *from, mla_tensor *to) {
  return mla_tensor_from_dlpack(from, to);
}
