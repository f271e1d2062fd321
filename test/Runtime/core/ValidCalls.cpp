//===- ValidCalls.cpp - One valid call of every operation -----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ValidCalls.h"

/// With the address sanitizer too, memory that is not there is a null pointer.
extern "C" const char *__asan_default_options(void);
extern "C" const char *__asan_default_options(void) {
  return "allocator_may_return_null=1";
}

Operand::Operand(uint32_t dtype, std::vector<int64_t> shape, char fill) {
  int64_t elements = 1;
  tensor.dtype = dtype;
  tensor.device_type = MLA_DEVICE_CPU;
  tensor.rank = static_cast<int32_t>(shape.size());
  for (int i = tensor.rank; i-- > 0;) {
    tensor.shape[i] = shape[i];
    tensor.strides[i] = elements;
    elements *= shape[i];
  }
  // 8 spare bytes keep an address for a tensor without elements.
  bytes.assign(elements * mla_dtype_bits(dtype) / 8 + 8, fill);
  tensor.data = bytes.data();
}

static constexpr int64_t T = 4, B = 2, H = 2, L = 512, R = 64, N = 128, V = 128,
                         P = 8, K = 3, pages = 6;
static constexpr uint32_t F32 = MLA_DTYPE_F32, I32 = MLA_DTYPE_I32,
                          I64 = MLA_DTYPE_I64;

/// Two sequences of two new tokens, after 3 and 18 older ones.
static void setLengths(Operand *kvLens, Operand *cuQ) {
  const int32_t lens[] = {5, 20}, starts[] = {0, 2, 4};
  if (kvLens)
    std::memcpy(kvLens->tensor.data, lens, sizeof(lens));
  if (cuQ)
    std::memcpy(cuQ->tensor.data, starts, sizeof(starts));
}

Call<mla_slot_mapping_params> validSlotMapping() {
  using Params = mla_slot_mapping_params;
  Call<Params> c;
  Operand &lens = c.add(&Params::kv_lens, I32, {B});
  setLengths(&lens, &c.add(&Params::cu_q, I32, {B + 1}));
  c.add(&Params::page_table, I32, {B, K});
  c.add(&Params::positions, I32, {T});
  c.add(&Params::slots, I64, {T});
  c.add(&Params::local_kv_lens, I32, {B});
  c.add(&Params::kv_bounds, I32, {T});
  c.p.page_size = P;
  return c;
}

Call<mla_rope_params> validRope() {
  using Params = mla_rope_params;
  Call<Params> c;
  c.add(&Params::x, F32, {T, H, R});
  c.add(&Params::cos_sin, F32, {32, R});
  c.add(&Params::positions, I32, {T});
  c.add(&Params::y, F32, {T, H, R});
  c.p.rope_style = MLA_ROPE_INTERLEAVED;
  return c;
}

Call<mla_append_params> validAppend() {
  using Params = mla_append_params;
  Call<Params> c;
  c.add(&Params::c_kv, F32, {T, L});
  c.add(&Params::k_pe, F32, {T, R});
  c.add(&Params::q_nope, F32, {T, H, L});
  c.add(&Params::q_pe, F32, {T, H, R});
  c.add(&Params::slots, I64, {T});
  c.add(&Params::cos_sin, F32, {32, R});
  c.add(&Params::positions, I32, {T});
  setLengths(nullptr, &c.add(&Params::cu_q, I32, {B + 1}));
  c.add(&Params::query, F32, {T, H, L + R});
  c.add(&Params::k_pe_out, F32, {T, R});
  c.add(&Params::cache_latent, F32, {pages, P, L});
  c.add(&Params::cache_pe, F32, {pages, P, R});
  c.p.rope_style = MLA_ROPE_INTERLEAVED;
  c.p.rope_head_dim = R;
  int64_t *slots = static_cast<int64_t *>(c[&Params::slots].data);
  for (int64_t t = 0; t < T; ++t)
    slots[t] = 2 * t;
  return c;
}

Call<mla_absorb_q_params> validAbsorbQ() {
  using Params = mla_absorb_q_params;
  Call<Params> c;
  c.add(&Params::q_nope, F32, {T, H, N});
  c.add(&Params::w_uk, F32, {H, N, L});
  c.add(&Params::query, F32, {T, H, L});
  return c;
}

Call<mla_project_v_params> validProjectV() {
  using Params = mla_project_v_params;
  Call<Params> c;
  c.add(&Params::o_latent, F32, {T, H, L});
  c.add(&Params::w_uv, F32, {H, V, L});
  c.add(&Params::out, F32, {T, H, V});
  return c;
}

Call<mla_schedule_params> validSchedule() {
  using Params = mla_schedule_params;
  Call<Params> c;
  Operand &lens = c.add(&Params::kv_lens, I32, {B});
  setLengths(&lens, &c.add(&Params::cu_q, I32, {B + 1}));
  c.add(&Params::schedule, I32, {MLA_SCHEDULE_SIZE(B)});
  c.p.num_heads = H;
  c.p.page_size = P;
  return c;
}

Call<mla_absorbed_attention_params> validAbsorbedAttention() {
  using Params = mla_absorbed_attention_params;
  Call<Params> c;
  c.add(&Params::query, F32, {T, H, L + R});
  c.add(&Params::cache_latent, F32, {pages, P, L});
  c.add(&Params::cache_pe, F32, {pages, P, R});
  c.add(&Params::page_table, I32, {B, K});
  Operand &lens = c.add(&Params::kv_lens, I32, {B});
  setLengths(&lens, &c.add(&Params::cu_q, I32, {B + 1}));
  c.add(&Params::sinks, F32, {H});
  c.add(&Params::o, F32, {T, H, L});
  c.add(&Params::lse, F32, {T, H});
  c.p.softmax_scale = 0.125;
  return c;
}

Call<mla_expand_kv_params> validExpandKV() {
  using Params = mla_expand_kv_params;
  Call<Params> c;
  c.add(&Params::c_kv, F32, {7, L});
  c.add(&Params::w_kv_b, F32, {H, N + V, L});
  c.add(&Params::kv, F32, {7, H, N + V});
  return c;
}

Call<mla_expanded_attention_params> validExpandedAttention() {
  using Params = mla_expanded_attention_params;
  Call<Params> c;
  c.add(&Params::q, F32, {T, H, N + R});
  c.add(&Params::k_nope, F32, {7, H, N});
  c.add(&Params::k_pe, F32, {7, R});
  c.add(&Params::v, F32, {7, H, V});
  setLengths(nullptr, &c.add(&Params::cu_q, I32, {B + 1}));
  Operand &cuK = c.add(&Params::cu_k, I32, {B + 1});
  cuK.as<int32_t>()[1] = 3;
  cuK.as<int32_t>()[2] = 7;
  c.add(&Params::o, F32, {T, H, V});
  c.add(&Params::lse, F32, {T, H});
  c.p.softmax_scale = 0.125;
  c.p.causal = 1;
  return c;
}

Call<mla_gather_kv_params> validGatherKV() {
  using Params = mla_gather_kv_params;
  Call<Params> c;
  c.add(&Params::cache_latent, F32, {pages, P, L});
  c.add(&Params::cache_pe, F32, {pages, P, R});
  c.add(&Params::page_table, I32, {B, K});
  setLengths(&c.add(&Params::kv_lens, I32, {B}), nullptr);
  c.add(&Params::c_kv, F32, {B * 3, L});
  c.add(&Params::k_pe, F32, {B * 3, R});
  c.p.window_length = 3;
  return c;
}

Call<mla_merge_states_params> validMergeStates() {
  using Params = mla_merge_states_params;
  Call<Params> c;
  c.add(&Params::o_states, F32, {3, T, H, V});
  c.add(&Params::lse_states, F32, {3, T, H});
  c.add(&Params::o, F32, {T, H, V});
  c.add(&Params::lse, F32, {T, H});
  return c;
}

Call<mla_copy_params> validCopy() {
  Call<mla_copy_params> c;
  c.add(&mla_copy_params::src, F32, {T, 3, 5});
  c.add(&mla_copy_params::dst, F32, {T, 3, 5});
  return c;
}

Call<mla_fill_params> validFill() {
  Call<mla_fill_params> c;
  c.add(&mla_fill_params::dst, F32, {T, 3});
  c.p.value = 1;
  return c;
}
