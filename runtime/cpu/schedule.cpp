//===- schedule.cpp - The split of ragged sequences, on the CPU -----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Schedule.h"

#include "Kernels.h"

using namespace mla;
using namespace mla::cpu;

mla_status mla::cpu::schedule(mla_context &,
                              const mla_schedule_params &params) {
  View kvLens(params.kv_lens), cuQ(params.cu_q), out(params.schedule);
  int64_t numSeqs = kvLens.dim(0);
  for (int64_t i = 0; i < MLA_SCHEDULE_SIZE(numSeqs); ++i)
    storeInt(out, i, 0);
  storeInt(out, ScheduleMagic, scheduleMagic);
  storeInt(out, ScheduleNumSeqs, numSeqs);
  storeInt(out, ScheduleNumHeads, params.num_heads);
  storeInt(out, SchedulePageSize, params.page_size);
  for (int64_t b = 0; b < numSeqs; ++b) {
    storeInt(out, ScheduleLengths + 2 * b, loadInt(kvLens, b));
    storeInt(out, ScheduleLengths + 2 * b + 1, loadInt(cuQ, b));
  }
  if (cuQ.dim(0) > 0)
    storeInt(out, ScheduleLengths + 2 * numSeqs, loadInt(cuQ, numSeqs));
  return MLA_STATUS_OK;
}

bool mla::cpu::checkSchedule(mla_context &ctx, const View &schedule,
                             int64_t numSeqs, int64_t numHeads,
                             int64_t pageSize) {
  const struct {
    int64_t index;
    int64_t expected;
  } header[] = {{ScheduleMagic, scheduleMagic},
                {ScheduleNumSeqs, numSeqs},
                {ScheduleNumHeads, numHeads},
                {SchedulePageSize, pageSize}};
  for (const auto &entry : header) {
    int64_t got = loadInt(schedule, entry.index);
    if (got == entry.expected)
      continue;
    recordFault(ctx, "absorbed_attention", "schedule", entry.index, got,
                entry.expected + 1, entry.expected);
    return false;
  }
  return true;
}
