//===- absorb_q.cpp - Arguments of mla_absorb_q ---------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/RunOp.h"

// Nothing beyond what ops.def says.
MLA_DEFINE_OP(absorb_q, {})
