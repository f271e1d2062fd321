//===- AbiOffsets.c - The ABI's layout as C11 sees it ---------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AbiOffsets.h"
#include "mla_runtime/runtime.h"

_Static_assert(sizeof(mla_tensor) == 152, "mla_tensor is frozen");

const struct AbiOffset abiOffsetsInC[] = {
#include "AbiOffsets.inc"
};
