//===- schedule.h - What holds for every backend's schedule ---------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_REFERENCE_SCHEDULE_H
#define MLA_TEST_RUNTIME_REFERENCE_SCHEDULE_H

#include "Array.h"

namespace mla {
namespace reference {

/// Elements that a schedule of `numSeqs` sequences needs: the caller allocates
/// them before it knows the lengths. The content is a backend's own.
int64_t scheduleSize(int64_t numSeqs);

} // namespace reference
} // namespace mla

#endif // MLA_TEST_RUNTIME_REFERENCE_SCHEDULE_H
