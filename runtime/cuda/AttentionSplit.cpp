//===- AttentionSplit.cpp - How attention is spread over the GPU ----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "AttentionSplit.h"

using namespace mla;
using namespace mla::cuda;

static uint64_t scheduleBytes() {
  return (sizeof(int32_t) * MLA_SCHEDULE_SIZE(maxScheduledSeqs) + 255) / 256 *
         256;
}

AttentionScratch::AttentionScratch(const State &state)
    : schedule(reinterpret_cast<int32_t *>(state.scratch)),
      slots(reinterpret_cast<float *>(state.scratch + scheduleBytes())),
      ready(
          reinterpret_cast<int32_t *>(slots + 2 * state.numSMs * slotFloats)) {}

uint64_t mla::cuda::attentionScratchBytes(const State &state) {
  return scheduleBytes() +
         static_cast<uint64_t>(state.numSMs) *
             (2 * slotFloats * sizeof(float) + sizeof(int32_t));
}

int mla::cuda::attentionCTAs(mla_context &ctx) {
  return std::min(usableSMs(ctx), maxParts);
}
