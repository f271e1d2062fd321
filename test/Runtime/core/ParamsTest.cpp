//===- ParamsTest.cpp - struct_size: older and newer callers --------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ValidCalls.h"

static std::string raw(const void *params) {
  Context ctx(MLA_MODE_CHECK);
  mla_status status =
      mla_rope(ctx, static_cast<const mla_rope_params *>(params));
  return status == MLA_STATUS_OK ? "OK"
                                 : std::string(mla_status_name(status)) + ": " +
                                       mla_last_error(ctx);
}

TEST(Params, MayBeShorter) {
  auto call = validRope();
  // Without phase and rope_off, and what lies there is not read.
  call.p.phase = 77;
  call.p.struct_size = offsetof(mla_rope_params, phase);
  EXPECT_EQ(answer(mla_rope, call.p), "OK");
  call.p.struct_size = sizeof(call.p);
  EXPECT_EQ(answer(mla_rope, call.p),
            "INVALID_ARGUMENT: mla_rope: phase: expected MLA_PHASE_CONTEXT, "
            "MLA_PHASE_GENERATION or 0, got 77");
  // A missing field is an absent one.
  call.p.struct_size = offsetof(mla_rope_params, y);
  EXPECT_EQ(answer(mla_rope, call.p),
            "INVALID_ARGUMENT: mla_rope: y: expected a tensor, got null");
  call.p.struct_size = 8;
  EXPECT_EQ(answer(mla_rope, call.p),
            "INVALID_ARGUMENT: mla_rope: x: expected a tensor, got null");
}

TEST(Params, MayBeLongerWithZeros) {
  auto call = validRope();
  std::vector<uint64_t> longer((sizeof(call.p) + 24) / 8);
  call.p.struct_size = longer.size() * 8;
  std::memcpy(longer.data(), &call.p, sizeof(call.p));
  EXPECT_EQ(raw(longer.data()), "OK");
  longer[sizeof(call.p) / 8 + 1] = uint64_t(1) << 60;
  EXPECT_EQ(raw(longer.data()),
            "UNIMPLEMENTED: mla_rope: struct_size: expected zeros beyond the "
            "64 bytes that this runtime knows, got a field at byte 72");
}

TEST(Params, RefusesSenselessSizes) {
  auto call = validRope();
  for (uint64_t size : {0, 7, 12, 4104, -8}) {
    call.p.struct_size = size;
    EXPECT_EQ(answer(mla_rope, call.p),
              "INVALID_ARGUMENT: mla_rope: struct_size: expected a multiple of "
              "8 in [8, 4096], got " +
                  std::to_string(size));
  }
  EXPECT_EQ(raw(nullptr),
            "INVALID_ARGUMENT: mla_rope: params: expected a struct, got null");
}
