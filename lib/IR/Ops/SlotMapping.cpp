//===- SlotMapping.cpp - mla.slot_mapping ---------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Verification.h"

using namespace mlir;
using namespace mla;

LogicalResult SlotMappingOp::verify() {
  if (failed(
          mla::detail::verifyPositive(*this, "C3", "page_size", getPageSize())))
    return failure();

  if (getCpSize().has_value() != getCpInterleave().has_value())
    return mla::detail::violation(*this, "C4",
                                  getCpSize() ? "cp_interleave" : "cp_size")
           << "expected an attribute beside "
           << (getCpSize() ? "cp_size" : "cp_interleave") << ", got none";
  if (getCpSize()) {
    if (failed(mla::detail::verifyPositive(*this, "C4", "cp_size",
                                           *getCpSize())) ||
        failed(mla::detail::verifyPositive(*this, "C4", "cp_interleave",
                                           *getCpInterleave())))
      return failure();
    return mla::detail::verifyPresent(*this, "C4", "cp_rank", "beside cp_size");
  }
  if (failed(
          mla::detail::verifyAbsent(*this, "C4", "cp_rank", "without cp_size")))
    return failure();
  for (StringRef name : {"local_kv_lens", "kv_bounds"})
    if (failed(mla::detail::verifyAbsent(*this, "C5", name, "without cp_size")))
      return failure();
  return success();
}
