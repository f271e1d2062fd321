//===- Names.cpp - Names of statuses and element types --------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla_runtime/runtime.h"

#include <cstring>

namespace {
struct DType {
  const char *name;
  uint32_t bits;
};
} // namespace

// Indexed by code; spelled as in MLIR.
static constexpr DType dtypes[] = {
    {"?", 0},         {"f32", 32},     {"f16", 16},       {"bf16", 16},
    {"f8E4M3FN", 8},  {"f8E5M2", 8},   {"f8E4M3FNUZ", 8}, {"f8E5M2FNUZ", 8},
    {"f8E8M0FNU", 8}, {"f4E2M1FN", 4}, {"f64", 64},       {"i8", 8},
    {"i32", 32},      {"i64", 64},     {"ui8", 8},        {"i1", 8}};
static constexpr uint32_t numDTypes = sizeof(dtypes) / sizeof(dtypes[0]);
static_assert(numDTypes == MLA_DTYPE_BOOL + 1, "one line a code");

static constexpr const char *statuses[] = {"OK",
                                           "INVALID_ARGUMENT",
                                           "UNIMPLEMENTED",
                                           "RESOURCE_EXHAUSTED",
                                           "FAILED_PRECONDITION",
                                           "NOT_FOUND",
                                           "DATA_ERROR",
                                           "INTERNAL"};

extern "C" uint32_t mla_abi_version(void) { return MLA_ABI_VERSION; }

extern "C" const char *mla_status_name(mla_status status) {
  if (status < 0 || status > MLA_STATUS_INTERNAL)
    return "UNKNOWN";
  return statuses[status];
}

extern "C" const char *mla_dtype_name(uint32_t dtype) {
  return dtype < numDTypes ? dtypes[dtype].name : "?";
}

extern "C" uint32_t mla_dtype_from_name(const char *name) {
  for (uint32_t code = 1; name && code < numDTypes; ++code)
    if (std::strcmp(name, dtypes[code].name) == 0)
      return code;
  return MLA_DTYPE_NONE;
}

extern "C" uint32_t mla_dtype_bits(uint32_t dtype) {
  return dtype < numDTypes ? dtypes[dtype].bits : 0;
}
