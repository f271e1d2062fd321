//===- schedule.cpp - What holds for every backend's schedule -------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "schedule.h"

int64_t mla::reference::scheduleSize(int64_t numSeqs) {
  // 16 KiB of work items, and two cumulative arrays over the sequences.
  return 4096 + 2 * (numSeqs + 1);
}
