//===- MLAOps.td - All operations of the mla dialect -------*- tablegen -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IR_MLAOPS_TD
#define MLA_IR_MLAOPS_TD

include "mla/IR/Ops/Attention.td"
include "mla/IR/Ops/SlotMapping.td"
include "mla/IR/Ops/Rope.td"
include "mla/IR/Ops/Append.td"
include "mla/IR/Ops/AbsorbQ.td"
include "mla/IR/Ops/ProjectV.td"
include "mla/IR/Ops/Schedule.td"
include "mla/IR/Ops/AbsorbedAttention.td"
include "mla/IR/Ops/ExpandKV.td"
include "mla/IR/Ops/ExpandedAttention.td"
include "mla/IR/Ops/GatherKV.td"
include "mla/IR/Ops/MergeStates.td"

#endif // MLA_IR_MLAOPS_TD
