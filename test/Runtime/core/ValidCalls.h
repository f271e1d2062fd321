//===- ValidCalls.h - One valid call of every operation ---------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_CORE_VALIDCALLS_H
#define MLA_TEST_RUNTIME_CORE_VALIDCALLS_H

#include "mla_runtime/runtime.h"

#include <cstring>
#include <deque>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

/// A dense tensor and its memory, filled with `fill`.
struct Operand {
  std::vector<char> bytes;
  mla_tensor tensor = {};

  Operand(uint32_t dtype, std::vector<int64_t> shape, char fill = 0);
  Operand(const Operand &) = delete;

  template <typename T> T *as() { return reinterpret_cast<T *>(tensor.data); }
};

/// Parameters with the memory that they point to. `call[&P::field]` is the
/// descriptor, for a test to spoil.
template <typename P> struct Call {
  P p = {};
  std::unique_ptr<std::deque<Operand>> operands =
      std::make_unique<std::deque<Operand>>();

  Call() { p.struct_size = sizeof(P); }

  Operand &add(const mla_tensor *P::*field, uint32_t dtype,
               std::vector<int64_t> shape) {
    operands->emplace_back(dtype, std::move(shape));
    p.*field = &operands->back().tensor;
    return operands->back();
  }
  mla_tensor &operator[](const mla_tensor *P::*field) {
    return const_cast<mla_tensor &>(*(p.*field));
  }
  /// Makes the dim of a dense operand `size` and keeps it dense.
  void resize(const mla_tensor *P::*field, int dim, int64_t size) {
    std::vector<int64_t> shape((*this)[field].shape,
                               (*this)[field].shape + (*this)[field].rank);
    shape[dim] = size;
    add(field, (*this)[field].dtype, shape);
  }
};

// T = 4, B = 2, H = 2, L = 512, R = 64, N = 128, V = 128, P = 8, K = 3, pages =
// 6; f32 unless said otherwise; the data are valid too (all zero but the
// lengths).
Call<mla_slot_mapping_params> validSlotMapping();
Call<mla_rope_params> validRope();
Call<mla_append_params> validAppend();
Call<mla_absorb_q_params> validAbsorbQ();
Call<mla_project_v_params> validProjectV();
Call<mla_schedule_params> validSchedule();
Call<mla_absorbed_attention_params> validAbsorbedAttention();
Call<mla_expand_kv_params> validExpandKV();
Call<mla_expanded_attention_params> validExpandedAttention();
Call<mla_gather_kv_params> validGatherKV();
Call<mla_merge_states_params> validMergeStates();
Call<mla_copy_params> validCopy();
Call<mla_fill_params> validFill();

/// A CPU context.
struct Context {
  mla_context *ctx = nullptr;

  explicit Context(int32_t mode = MLA_MODE_RUN) {
    EXPECT_EQ(mla_context_create("cpu", 0, &ctx), MLA_STATUS_OK)
        << mla_last_error(nullptr);
    EXPECT_EQ(mla_context_set_mode(ctx, mode), MLA_STATUS_OK);
  }
  ~Context() { mla_context_destroy(ctx); }
  Context(const Context &) = delete;
  operator mla_context *() const { return ctx; }
};

/// Makes the call in CHECK mode on a fresh context; "OK", or "STATUS:
/// sentence".
template <typename P>
std::string answer(mla_status (*op)(mla_context *, const P *), const P &p,
                   int32_t mode = MLA_MODE_CHECK) {
  Context ctx(mode);
  mla_status status = op(ctx, &p);
  EXPECT_EQ(status, mla_context_status(ctx));
  if (status == MLA_STATUS_OK) {
    EXPECT_STREQ(mla_last_error(ctx), "");
    return "OK";
  }
  return std::string(mla_status_name(status)) + ": " + mla_last_error(ctx);
}

#endif // MLA_TEST_RUNTIME_CORE_VALIDCALLS_H
