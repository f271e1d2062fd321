//===- Schedule.cpp - mla.schedule ----------------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Verification.h"

using namespace mlir;
using namespace mla;

/// MLA_SCHEDULE_SIZE of the runtime's ABI.
static int64_t getScheduleSize(int64_t numSequences) {
  return 4096 + 2 * (numSequences + 1);
}

LogicalResult ScheduleOp::verify() {
  if (failed(mla::detail::verifyPositive(*this, "C3", "num_heads",
                                         getNumHeads())) ||
      failed(
          mla::detail::verifyPositive(*this, "C3", "page_size", getPageSize())))
    return failure();
  FailureOr<DimSizes> dims = solveDims(*this);
  if (failed(dims))
    return failure();
  std::optional<int64_t> size = dims->lookup("S");
  std::optional<int64_t> numSequences = dims->lookup("B");
  if (size && numSequences && *size < getScheduleSize(*numSequences))
    return mla::detail::violation(*this, "C4", "schedule")
           << "expected at least 4096 + 2 (B + 1) = "
           << getScheduleSize(*numSequences) << " elements, got " << *size;
  return success();
}
