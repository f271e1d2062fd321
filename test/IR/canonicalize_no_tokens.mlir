// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Without tokens nothing is written: destinations are what they were.

// RUN: mla-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: @attention
// CHECK-SAME: %[[OUT:[a-z0-9]+]]: tensor<0x2x8xbf16>, %[[CACHE:[a-z0-9]+]]: tensor<?x8x20xbf16>)
// CHECK-NEXT: return %[[OUT]], %[[CACHE]]
func.func @attention(
    %q: tensor<?x2x12xbf16>, %c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
    %w: tensor<2x16x16xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>, %table: tensor<?x4xf32>,
    %out: tensor<0x2x8xbf16>, %cache: tensor<?x8x20xbf16>)
    -> (tensor<0x2x8xbf16>, tensor<?x8x20xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>, w_kv_b = %w : tensor<2x16x16xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>, cos_sin = %table : tensor<?x4xf32>)
      outs(out = %out : tensor<0x2x8xbf16>, cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>, softmax_scale = 0.25 : f64}
  return %r#0, %r#1 : tensor<0x2x8xbf16>, tensor<?x8x20xbf16>
}

// CHECK-LABEL: @append
// CHECK-SAME: %[[CACHE:[a-z0-9]+]]: tensor<?x8x16xbf16>)
// CHECK-NEXT: return %[[CACHE]]
func.func @append(%c_kv: tensor<0x16xbf16>, %slots: tensor<?xi64>,
                  %cache: tensor<?x8x16xbf16>) -> tensor<?x8x16xbf16> {
  %r = mla.append
      ins(c_kv = %c_kv : tensor<0x16xbf16>, slots = %slots : tensor<?xi64>)
      outs(cache = %cache : tensor<?x8x16xbf16>)
  return %r : tensor<?x8x16xbf16>
}

// CHECK-LABEL: @rope
// CHECK-SAME: %[[Y:[a-z0-9]+]]: tensor<0x4xf32>)
// CHECK-NEXT: return %[[Y]]
func.func @rope(%x: tensor<0x4xbf16>, %table: tensor<?x4xf32>,
                %p: tensor<?xi32>, %y: tensor<0x4xf32>) -> tensor<0x4xf32> {
  %r = mla.rope
      ins(x = %x : tensor<0x4xbf16>, cos_sin = %table : tensor<?x4xf32>,
          positions = %p : tensor<?xi32>)
      outs(y = %y : tensor<0x4xf32>) {rope = #mla.rope<half, head_dim = 4>}
  return %r : tensor<0x4xf32>
}

// CHECK-LABEL: @products
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<0x2x16xbf16>, %[[V:[a-z0-9]+]]: tensor<0x2x8xbf16>, %[[KV:[a-z0-9]+]]: tensor<0x2x16xbf16>)
// CHECK-NEXT: return %[[Q]], %[[V]], %[[KV]]
func.func @products(
    %q_nope: tensor<?x2x8xbf16>, %w: tensor<2x8x16xbf16>,
    %o: tensor<?x2x16xbf16>, %c_kv: tensor<?x16xbf16>,
    %w_kv_b: tensor<2x16x16xbf16>, %query: tensor<0x2x16xbf16>,
    %out: tensor<0x2x8xbf16>, %kv: tensor<0x2x16xbf16>)
    -> (tensor<0x2x16xbf16>, tensor<0x2x8xbf16>, tensor<0x2x16xbf16>) {
  %0 = mla.absorb_q
      ins(q_nope = %q_nope : tensor<?x2x8xbf16>, w_uk = %w : tensor<2x8x16xbf16>)
      outs(query = %query : tensor<0x2x16xbf16>)
  %1 = mla.project_v
      ins(o_latent = %o : tensor<?x2x16xbf16>, w_uv = %w : tensor<2x8x16xbf16>)
      outs(out = %out : tensor<0x2x8xbf16>)
  %2 = mla.expand_kv
      ins(c_kv = %c_kv : tensor<?x16xbf16>, w_kv_b = %w_kv_b : tensor<2x16x16xbf16>)
      outs(kv = %kv : tensor<0x2x16xbf16>)
  return %0, %1, %2
      : tensor<0x2x16xbf16>, tensor<0x2x8xbf16>, tensor<0x2x16xbf16>
}

// CHECK-LABEL: @attentions
// CHECK-SAME: %[[O:[a-z0-9]+]]: tensor<0x2x16xbf16>, %[[LSE:[a-z0-9]+]]: tensor<0x2xf32>, %[[P:[a-z0-9]+]]: tensor<0x2x6xbf16>)
// CHECK-NEXT: return %[[O]], %[[LSE]], %[[P]]
func.func @attentions(
    %query: tensor<?x2x20xbf16>, %cache: tensor<?x8x20xbf16>,
    %pages: tensor<?x?xi32>, %lens: tensor<?xi32>, %cu: tensor<?xi32>,
    %q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x2x6xbf16>,
    %o: tensor<0x2x16xbf16>, %lse: tensor<0x2xf32>, %p: tensor<0x2x6xbf16>)
    -> (tensor<0x2x16xbf16>, tensor<0x2xf32>, tensor<0x2x6xbf16>) {
  %r:2 = mla.absorbed_attention
      ins(query = %query : tensor<?x2x20xbf16>, cache = %cache : tensor<?x8x20xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>)
      outs(o = %o : tensor<0x2x16xbf16>, lse = %lse : tensor<0x2xf32>)
      {softmax_scale = 0.25 : f64}
  %s = mla.expanded_attention
      ins(q = %q : tensor<?x2x8xbf16>, k_nope = %k : tensor<?x2x8xbf16>,
          v = %v : tensor<?x2x6xbf16>, cu_q = %cu : tensor<?xi32>,
          cu_k = %cu : tensor<?xi32>)
      outs(o = %p : tensor<0x2x6xbf16>) {causal, softmax_scale = 0.25 : f64}
  return %r#0, %r#1, %s
      : tensor<0x2x16xbf16>, tensor<0x2xf32>, tensor<0x2x6xbf16>
}

// CHECK-LABEL: @merge_states
// CHECK-NOT: mla.
// CHECK: return
func.func @merge_states(
    %os: tensor<?x?x2x16xbf16>, %ls: tensor<?x?x2xf32>, %o: tensor<0x2x16xf32>,
    %lse: tensor<0x2xf32>) -> (tensor<0x2x16xf32>, tensor<0x2xf32>) {
  %r:2 = mla.merge_states
      ins(o_states = %os : tensor<?x?x2x16xbf16>, lse_states = %ls : tensor<?x?x2xf32>)
      outs(o = %o : tensor<0x2x16xf32>, lse = %lse : tensor<0x2xf32>)
  return %r#0, %r#1 : tensor<0x2x16xf32>, tensor<0x2xf32>
}

// CHECK-LABEL: @slot_mapping
// CHECK-NOT: mla.
// CHECK: return
func.func @slot_mapping(
    %lens: tensor<?xi32>, %cu: tensor<?xi32>, %pages: tensor<?x?xi32>,
    %p: tensor<0xi64>, %s: tensor<0xi64>) -> (tensor<0xi64>, tensor<0xi64>) {
  %r:2 = mla.slot_mapping
      ins(kv_lens = %lens : tensor<?xi32>, cu_q = %cu : tensor<?xi32>,
          page_table = %pages : tensor<?x?xi32>)
      outs(positions = %p : tensor<0xi64>, slots = %s : tensor<0xi64>)
      {page_size = 8 : i64}
  return %r#0, %r#1 : tensor<0xi64>, tensor<0xi64>
}

// A rank's lengths don't depend on tokens.
// CHECK-LABEL: @local_kv_lens
// CHECK: mla.slot_mapping
func.func @local_kv_lens(
    %lens: tensor<?xi32>, %cu: tensor<?xi32>, %pages: tensor<?x?xi32>,
    %rank: index, %p: tensor<0xi64>, %s: tensor<0xi64>, %local: tensor<?xi32>)
    -> tensor<?xi32> {
  %r:3 = mla.slot_mapping
      ins(kv_lens = %lens : tensor<?xi32>, cu_q = %cu : tensor<?xi32>,
          page_table = %pages : tensor<?x?xi32>, cp_rank = %rank : index)
      outs(positions = %p : tensor<0xi64>, slots = %s : tensor<0xi64>,
           local_kv_lens = %local : tensor<?xi32>)
      {cp_interleave = 1 : i64, cp_size = 4 : i64, page_size = 8 : i64}
  return %r#2 : tensor<?xi32>
}

// Some tokens, but no sequence with a key: o and lse are still written.
// CHECK-LABEL: @some_tokens
// CHECK: mla.absorbed_attention
func.func @some_tokens(
    %query: tensor<4x2x20xbf16>, %cache: tensor<0x8x20xbf16>,
    %pages: tensor<?x0xi32>, %lens: tensor<?xi32>, %cu: tensor<?xi32>,
    %o: tensor<4x2x16xbf16>) -> tensor<4x2x16xbf16> {
  %r = mla.absorbed_attention
      ins(query = %query : tensor<4x2x20xbf16>, cache = %cache : tensor<0x8x20xbf16>,
          page_table = %pages : tensor<?x0xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>)
      outs(o = %o : tensor<4x2x16xbf16>) {softmax_scale = 0.25 : f64}
  return %r : tensor<4x2x16xbf16>
}

// Buffers are left alone.
// CHECK-LABEL: @buffers
// CHECK: mla.append
func.func @buffers(%c_kv: memref<0x16xbf16>, %slots: memref<?xi64>,
                   %cache: memref<?x8x16xbf16>) {
  mla.append
      ins(c_kv = %c_kv : memref<0x16xbf16>, slots = %slots : memref<?xi64>)
      outs(cache = %cache : memref<?x8x16xbf16>)
  return
}
