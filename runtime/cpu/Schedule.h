//===- Schedule.h - What the CPU backend writes as a schedule -------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// One core needs no split. The schedule says only what it was made for, so that
// an attention that is given another call's schedule reports it here as it
// would on a device.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CPU_SCHEDULE_H
#define MLA_RUNTIME_CPU_SCHEDULE_H

#include "View.h"

namespace mla {
namespace cpu {

/// Elements of the i32 schedule; those between are 0.
enum ScheduleElement : int64_t {
  ScheduleMagic = 0,
  ScheduleNumSeqs = 1,
  ScheduleNumHeads = 2,
  SchedulePageSize = 3,
  ScheduleLengths = 4096, ///< kv_lens[b], cu_q[b] for each b; then cu_q[B].
};

const int32_t scheduleMagic = 0x43414c4d; // "MLAC" in memory.

/// False, with the fault recorded, when `schedule` was made for another number
/// of sequences or heads, for another page size, or by another backend.
bool checkSchedule(mla_context &ctx, const View &schedule, int64_t numSeqs,
                   int64_t numHeads, int64_t pageSize);

} // namespace cpu
} // namespace mla

#endif // MLA_RUNTIME_CPU_SCHEDULE_H
