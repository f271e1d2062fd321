//===- schedule.cpp - Arguments of mla_schedule ---------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/RunOp.h"

static bool check(Checker &checker, const mla_schedule_params &p) {
  return checker.fitsI32("num_heads", p.num_heads) &&
         checker.fitsI32("page_size", p.page_size) &&
         checker.isScheduleSize("schedule", p.schedule);
}

MLA_DEFINE_OP(schedule, {nullptr, check})
