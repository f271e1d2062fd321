// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What other systems' calls become is lowered to the runtime like anything else: one
// append each, and a launch more for a table that isn't f32.

// RUN: mla-opt %s --allow-unregistered-dialect --convert-custom-call-to-mla -o %t 2>/dev/null
// RUN: mla-opt %t --mla-to-llvm | FileCheck %s

// CHECK-LABEL: llvm.func internal @concat.body(
// CHECK: call @mla_append(
// CHECK-NOT: call @mla_{{(append|rope)}}(
func.func @concat(%kv_c: tensor<8x512xbf16>, %k_pe: tensor<8x64xbf16>,
                  %cache: tensor<?x16x576xbf16>, %slots: tensor<8xi64>,
                  %scale: tensor<1xf32>) -> tensor<?x16x576xbf16> {
  %auto = "torch.constant.str"() {value = "auto"} : () -> !torch.str
  %r = "torch.operator"(%kv_c, %k_pe, %cache, %slots, %auto, %scale)
      <{name = "torch._C_cache_ops.concat_and_cache_mla"}>
      : (tensor<8x512xbf16>, tensor<8x64xbf16>, tensor<?x16x576xbf16>,
         tensor<8xi64>, !torch.str, tensor<1xf32>) -> tensor<?x16x576xbf16>
  return %r : tensor<?x16x576xbf16>
}

// CHECK-LABEL: llvm.func internal @rope_fp8.body(
// CHECK: call @mla_rope(
// CHECK: call @mla_append(
// CHECK-NOT: call @mla_{{(append|rope)}}(
func.func @rope_fp8(%positions: tensor<16xi64>, %q_pe: tensor<8x16x64xbf16>,
                    %k_pe: tensor<8x64xbf16>, %kv_c: tensor<8x512xbf16>,
                    %table: tensor<?x64xbf16>, %slots: tensor<8xi64>,
                    %cache: tensor<?x16x576xf8E4M3FN>, %scale: tensor<f32>)
    -> (tensor<8x16x64xbf16>, tensor<8x64xbf16>, tensor<?x16x576xf8E4M3FN>) {
  %r:3 = "stablehlo.composite"(%positions, %q_pe, %k_pe, %kv_c, %table, %slots,
                               %cache, %scale)
      {name = "concat_and_cache_mla_rope_fused", version = 0 : i32,
       composite_attributes = {is_neox = false, kv_cache_dtype = "fp8_e4m3"},
       decomposition = @none}
      : (tensor<16xi64>, tensor<8x16x64xbf16>, tensor<8x64xbf16>,
         tensor<8x512xbf16>, tensor<?x64xbf16>, tensor<8xi64>,
         tensor<?x16x576xf8E4M3FN>, tensor<f32>)
      -> (tensor<8x16x64xbf16>, tensor<8x64xbf16>, tensor<?x16x576xf8E4M3FN>)
  return %r#0, %r#1, %r#2 : tensor<8x16x64xbf16>, tensor<8x64xbf16>,
                            tensor<?x16x576xf8E4M3FN>
}

// CHECK-LABEL: llvm.func internal @rope.body(
// CHECK: call @mla_append(
// CHECK-NOT: call @mla_{{(append|rope)}}(
func.func @rope(
    %qn: tensor<8x16x512xbf16>, %qp: tensor<8x16x64xbf16>,
    %c: tensor<8x512xbf16>, %k: tensor<8x64xbf16>, %cache: tensor<?x1x576xbf16>,
    %q: tensor<8x16x576xbf16>, %slots: tensor<8xi64>, %ks: tensor<1xf32>,
    %qs: tensor<f32>, %p: tensor<8xi64>, %cos: tensor<?x32xf32>,
    %sin: tensor<?x32xf32>)
    -> (tensor<?x1x576xbf16>, tensor<8x16x576xbf16>) {
  %r:2 = "stablehlo.custom_call"(
      %qn, %qp, %c, %k, %cache, %q, %slots, %ks, %qs, %p, %cos, %sin)
      {call_target_name = "fused_qk_rope_concat_and_cache_mla",
       backend_config = {is_neox = false, is_nope_first = true}}
      : (tensor<8x16x512xbf16>, tensor<8x16x64xbf16>, tensor<8x512xbf16>,
         tensor<8x64xbf16>, tensor<?x1x576xbf16>, tensor<8x16x576xbf16>,
         tensor<8xi64>, tensor<1xf32>, tensor<f32>, tensor<8xi64>, tensor<?x32xf32>,
         tensor<?x32xf32>)
      -> (tensor<?x1x576xbf16>, tensor<8x16x576xbf16>)
  return %r#0, %r#1 : tensor<?x1x576xbf16>, tensor<8x16x576xbf16>
}

// CHECK-LABEL: llvm.func internal @no_table.body(
// CHECK: call @mla_append(
// CHECK-NOT: call @mla_{{(append|rope)}}(
func.func @no_table(
    %qn: tensor<8x16x512xbf16>, %qp: tensor<8x16x64xbf16>,
    %c: tensor<8x512xbf16>, %k: tensor<8x64xbf16>, %cache: tensor<?x1x576xbf16>,
    %q: tensor<8x16x576xbf16>, %slots: tensor<8xi64>)
    -> (tensor<?x1x576xbf16>, tensor<8x16x576xbf16>) {
  %r:2 = "stablehlo.custom_call"(
      %qn, %qp, %c, %k, %cache, %q, %slots)
      {call_target_name = "fused_qk_rope_concat_and_cache_mla",
       backend_config = {operands = ["q_nope", "q_pe", "kv_c", "k_pe", "kv_cache", "q_out", "slot_mapping"],
                         is_nope_first = true}}
      : (tensor<8x16x512xbf16>, tensor<8x16x64xbf16>, tensor<8x512xbf16>,
         tensor<8x64xbf16>, tensor<?x1x576xbf16>, tensor<8x16x576xbf16>,
         tensor<8xi64>)
      -> (tensor<?x1x576xbf16>, tensor<8x16x576xbf16>)
  return %r#0, %r#1 : tensor<?x1x576xbf16>, tensor<8x16x576xbf16>
}

// CHECK-LABEL: llvm.func internal @offsets.body(
// CHECK: call @mla_slot_mapping(
// CHECK: call @mla_append(
// CHECK-NOT: call @mla_{{(append|rope)}}(
func.func @offsets(
    %fused_q: tensor<8x16x576xbf16>, %q_pe: tensor<8x16x64xbf16>,
    %latent_cache: tensor<8x576xbf16>, %sequence_length: tensor<4xi32>,
    %kv_cache_block_offsets: tensor<1x4x2x8xi32>,
    %host_kv_cache_pool_pointers: tensor<?x32x576xbf16>,
    %cu_q: tensor<5xi32>)
    -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>) {
  %r:2 = "torch.operator"(
      %fused_q, %q_pe, %latent_cache, %sequence_length, %kv_cache_block_offsets,
      %host_kv_cache_pool_pointers, %cu_q)
      {name = "torch.mla_rope_generation",
       operands = ["fused_q", "q_pe", "latent_cache", "sequence_length",
                   "kv_cache_block_offsets", "host_kv_cache_pool_pointers", "cu_q"],
       results = ["fused_q", "host_kv_cache_pool_pointers"],
       num_contexts = 0, predicted_tokens_per_seq = 2, tokens_per_block = 32,
       attention_window_size = 4096, kv_lora_rank = 512, qk_rope_head_dim = 64}
      : (tensor<8x16x576xbf16>, tensor<8x16x64xbf16>, tensor<8x576xbf16>,
         tensor<4xi32>, tensor<1x4x2x8xi32>, tensor<?x32x576xbf16>, tensor<5xi32>)
      -> (tensor<8x16x576xbf16>, tensor<?x32x576xbf16>)
  return %r#0, %r#1
      : tensor<8x16x576xbf16>, tensor<?x32x576xbf16>
}
