//===- TraceTest.cpp - MLA_TRACE=1 ----------------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ValidCalls.h"

#include <cstdlib>

namespace {
/// Sets MLA_TRACE while contexts are made.
struct Traced {
  explicit Traced(const char *value) { setenv("MLA_TRACE", value, 1); }
  ~Traced() { unsetenv("MLA_TRACE"); }
};
} // namespace

template <typename P>
static std::string trace(mla_status (*op)(mla_context *, const P *), const P &p,
                         int32_t mode = MLA_MODE_RUN) {
  Context ctx(mode);
  testing::internal::CaptureStderr();
  EXPECT_EQ(op(ctx, &p), MLA_STATUS_OK) << mla_last_error(ctx);
  return testing::internal::GetCapturedStderr();
}

TEST(Trace, SaysWhatIsRotated) {
  Traced on("1");
  auto call = validAppend();
  call.p.phase = MLA_PHASE_GENERATION;
  EXPECT_EQ(trace(mla_append, call.p),
            "mla: append c_kv=[4, 512]:f32 k_pe=[4, 64]:f32 "
            "q_nope=[4, 2, 512]:f32 q_pe=[4, 2, 64]:f32 slots=[4]:i64 "
            "cos_sin=[32, 64]:f32 positions=[4]:i32 cu_q=[3]:i32 "
            "query=[4, 2, 576]:f32 k_pe_out=[4, 64]:f32 "
            "cache_latent=[6, 8, 512]:f32 cache_pe=[6, 8, 64]:f32 "
            "phase=generation rope=interleaved width 64\n");
  auto rope = validRope();
  rope.p.rope_style = MLA_ROPE_HALF;
  EXPECT_EQ(trace(mla_rope, rope.p, MLA_MODE_CHECK),
            "mla: rope (check) x=[4, 2, 64]:f32 cos_sin=[32, 64]:f32 "
            "positions=[4]:i32 y=[4, 2, 64]:f32 rope=half width 64\n");
}

TEST(Trace, SaysWhyNothingIsRotated) {
  Traced on("1");
  auto call = validAppend();
  call.p.rope_style = call.p.rope_head_dim = 0;
  auto ends = [&](const std::string &end) {
    std::string line = trace(mla_append, call.p, MLA_MODE_CHECK);
    EXPECT_GE(line.size(), end.size());
    EXPECT_EQ(line.substr(line.size() - end.size()), end) << line;
  };
  ends(" rope=off: no attribute\n");
  call.p.rope_off = "disabled by\nmla-disable-rope";
  ends(" rope=off: disabled by?mla-disable-rope\n");
  call.p.rope_off = nullptr;
  call.p.k_pe = call.p.q_pe = call.p.k_pe_out = call.p.cache_pe = nullptr;
  call.resize(&mla_append_params::query, 2, 512);
  ends(" rope=off: R = 0\n");
}

TEST(Trace, ShowsRanksAndValues) {
  Traced on("1");
  auto call = validSlotMapping();
  call.p.cp_rank = 1;
  call.p.cp_size = 2;
  call.p.cp_interleave = 4;
  std::string line = trace(mla_slot_mapping, call.p, MLA_MODE_PLAN);
  EXPECT_NE(line.find("mla: slot_mapping (plan) "), std::string::npos);
  EXPECT_NE(line.find(" page_size=8 cp_rank=1 cp_size=2 cp_interleave=4\n"),
            std::string::npos)
      << line;
}

TEST(Trace, IsSilentUnlessAsked) {
  EXPECT_EQ(trace(mla_fill, validFill().p), "");
  Traced off("0");
  EXPECT_EQ(trace(mla_fill, validFill().p), "");
}
