//===- Params.cpp - Reading a caller's parameter struct -------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/Params.h"

#include <algorithm>
#include <cstring>

/// No future struct is larger, so a larger size is an uninitialized one;
/// reading that far would leave the caller's memory.
static constexpr uint64_t sizeLimit = 4096;

bool readParams(mla_context &ctx, const OpSpec &spec, const void *params,
                void *out) {
  if (!params) {
    fail(ctx, MLA_STATUS_INVALID_ARGUMENT,
         "mla_%s: params: expected a struct, got null", spec.name);
    return false;
  }
  uint64_t size;
  std::memcpy(&size, params, sizeof(size));
  // Every field takes 8 bytes.
  if (size < 8 || size > sizeLimit || size % 8) {
    fail(ctx, MLA_STATUS_INVALID_ARGUMENT,
         "mla_%s: struct_size: expected a multiple of 8 in [8, 4096], got %llu",
         spec.name, static_cast<unsigned long long>(size));
    return false;
  }
  const char *bytes = static_cast<const char *>(params);
  for (uint64_t i = spec.paramsSize; i < size; ++i)
    if (bytes[i]) {
      fail(ctx, MLA_STATUS_UNIMPLEMENTED,
           "mla_%s: struct_size: expected zeros beyond the %u bytes that this "
           "runtime knows, got a field at byte %llu",
           spec.name, spec.paramsSize,
           static_cast<unsigned long long>(i & ~uint64_t(7)));
      return false;
    }
  std::memcpy(out, params, std::min<uint64_t>(size, spec.paramsSize));
  uint64_t own = spec.paramsSize;
  std::memcpy(out, &own, sizeof(own));
  return true;
}
