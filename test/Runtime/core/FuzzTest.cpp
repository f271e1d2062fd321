//===- FuzzTest.cpp - Random damage to valid calls ------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ValidCalls.h"

#include <cmath>
#include <random>

namespace {
enum class Kind { Tensor, I64, F64, Str };
struct Field {
  Kind kind;
  size_t offset;
};

/// Damages a copy of a valid call, field by field at random.
struct Damager {
  std::mt19937_64 random{20250101};
  std::deque<mla_tensor> tensors;

  uint64_t below(uint64_t n) { return random() % n; }

  int64_t number() {
    static const int64_t values[] = {
        0,  1,  2,   3,         4,         5,         8,         16,
        63, 64, 512, -1,        -2,        INT32_MAX, INT32_MIN, INT64_MAX,
        7,  9,  576, INT64_MIN, 1LL << 40, 1LL << 61, 128,       6};
    return values[below(sizeof(values) / sizeof(values[0]))];
  }

  void damageTensor(mla_tensor &t) {
    switch (below(9)) {
    case 0:
      t.shape[below(6)] = number();
      break;
    case 1:
      t.strides[below(6)] = number();
      break;
    case 2:
      t.dtype = static_cast<uint32_t>(below(18));
      break;
    case 3:
      t.rank = static_cast<int32_t>(below(9)) - 1;
      break;
    case 4:
      t.data = reinterpret_cast<void *>(below(2) ? 0 : random());
      break;
    case 5:
      t.flags = below(4);
      break;
    case 6:
      t.byte_offset = below(2) ? below(64) : random();
      break;
    case 7:
      t.device_type = static_cast<int32_t>(below(4));
      t.device_id = static_cast<int32_t>(below(2));
      break;
    case 8:
      t.reserved[below(2)] = below(2);
      break;
    }
  }

  void damageField(char *params, const Field &field) {
    char *at = params + field.offset;
    if (field.kind == Kind::Tensor) {
      const mla_tensor *tensor;
      std::memcpy(&tensor, at, sizeof(tensor));
      const mla_tensor *replacement = nullptr;
      // Absent, damaged, or one where there was none.
      if (below(4) || !tensor) {
        tensors.push_back(tensor ? *tensor : mla_tensor{});
        damageTensor(tensors.back());
        replacement = &tensors.back();
      }
      std::memcpy(at, &replacement, sizeof(replacement));
    } else if (field.kind == Kind::I64) {
      int64_t value = number();
      std::memcpy(at, &value, sizeof(value));
    } else if (field.kind == Kind::F64) {
      const double values[] = {0, -1, 1, NAN, HUGE_VAL, -HUGE_VAL, 1e-320};
      std::memcpy(at, &values[below(7)], sizeof(double));
    }
  }
};

struct Counts {
  int accepted = 0, refused = 0;
};
} // namespace

template <typename P>
static Counts fuzz(const char *name, mla_status (*op)(mla_context *, const P *),
                   const Call<P> &valid, const std::vector<Field> &fields) {
  Damager damager;
  Counts counts;
  std::string prefix = std::string("mla_") + name + ": ";
  for (int round = 0; round < 6000; ++round) {
    Context ctx(round % 4 ? MLA_MODE_CHECK : MLA_MODE_PLAN);
    P p = valid.p;
    for (uint64_t n = 1 + damager.below(3); n > 0; --n)
      damager.damageField(reinterpret_cast<char *>(&p),
                          fields[damager.below(fields.size())]);
    if (damager.below(16) == 0)
      p.struct_size = 8 * damager.below(sizeof(P) / 8 + 1);
    mla_status status = op(ctx, &p);
    damager.tensors.clear();
    if (status == MLA_STATUS_OK) {
      ++counts.accepted;
      continue;
    }
    ++counts.refused;
    std::string text = mla_last_error(ctx);
    EXPECT_TRUE(status == MLA_STATUS_INVALID_ARGUMENT ||
                status == MLA_STATUS_UNIMPLEMENTED)
        << text;
    EXPECT_EQ(text.rfind(prefix, 0), 0u) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    EXPECT_NE(text.find("expected "), std::string::npos) << text;
    EXPECT_NE(text.find(", got "), std::string::npos) << text;
    EXPECT_LT(text.size(), 400u) << text;
    if (testing::Test::HasFailure())
      break;
  }
  return counts;
}

#define MLA_OP_BEGIN(op, since, doc)                                           \
  static const std::vector<Field> op##Fields = {
#define MLA_TENSOR(op, field, role, presence, dtypes, dims, since, doc)        \
  {Kind::Tensor, offsetof(mla_##op##_params, field)},
#define MLA_CACHE(op, field, role, presence, since, doc)                       \
  {Kind::Tensor, offsetof(mla_##op##_params, field##_latent)},                 \
      {Kind::Tensor, offsetof(mla_##op##_params, field##_pe)},                 \
      {Kind::Tensor, offsetof(mla_##op##_params, field##_scales)},
#define MLA_I64(op, field, presence, since, doc)                               \
  {Kind::I64, offsetof(mla_##op##_params, field)},
#define MLA_F64(op, field, presence, since, doc)                               \
  {Kind::F64, offsetof(mla_##op##_params, field)},
#define MLA_STR(op, field, presence, since, doc)                               \
  {Kind::Str, offsetof(mla_##op##_params, field)},
#define MLA_OP_END(op)                                                         \
  }                                                                            \
  ;
#include "mla_runtime/ops.def"

// Never a crash, and every refusal is a sentence that names the operation.
#define MLA_FUZZ(op, valid)                                                    \
  TEST(Fuzz, op) {                                                             \
    Counts counts = fuzz(#op, mla_##op, valid, op##Fields);                    \
    EXPECT_GT(counts.refused, 100);                                            \
    EXPECT_GT(counts.accepted, 10);                                            \
  }
MLA_FUZZ(slot_mapping, validSlotMapping())
MLA_FUZZ(rope, validRope())
MLA_FUZZ(append, validAppend())
MLA_FUZZ(absorb_q, validAbsorbQ())
MLA_FUZZ(project_v, validProjectV())
MLA_FUZZ(schedule, validSchedule())
MLA_FUZZ(absorbed_attention, validAbsorbedAttention())
MLA_FUZZ(merge_states, validMergeStates())
MLA_FUZZ(copy, validCopy())
MLA_FUZZ(fill, validFill())
#undef MLA_FUZZ

// A backend may not have these; then none is accepted.
TEST(Fuzz, ExpandedForm) {
  EXPECT_GT(fuzz("expand_kv", mla_expand_kv, validExpandKV(), expand_kvFields)
                .refused,
            100);
  EXPECT_GT(fuzz("expanded_attention", mla_expanded_attention,
                 validExpandedAttention(), expanded_attentionFields)
                .refused,
            100);
  EXPECT_GT(fuzz("gather_kv", mla_gather_kv, validGatherKV(), gather_kvFields)
                .refused,
            100);
}
