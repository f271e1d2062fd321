// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// R = 0: operands of width 0 go, also where they hide in a concatenation.

// RUN: mla-opt %s --canonicalize | FileCheck %s --implicit-check-not=tensor.concat
// RUN: mla-opt %s --canonicalize > %t.once
// RUN: mla-opt %t.once --canonicalize | diff %t.once -

// CHECK-LABEL: @attention
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<?x2x8xbf16>
// CHECK: mla.attention ins(q = %[[Q]] : tensor<?x2x8xbf16>, c_kv = %{{[a-z0-9]+}} : tensor<?x16xbf16>, w_kv_b = %{{[a-z0-9]+}} : tensor<2x16x16xbf16>, page_table = %{{[a-z0-9]+}} : tensor<?x?xi32>, kv_lens = %{{[a-z0-9]+}} : tensor<?xi32>, cu_q = %{{[a-z0-9]+}} : tensor<?xi32>)
// CHECK-SAME: {mla.rope_off = "head_dim = 0", softmax_scale = 2.500000e-01 : f64}
func.func @attention(
    %q_nope: tensor<?x2x8xbf16>, %q_pe: tensor<?x2x0xbf16>,
    %c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x0xbf16>, %w: tensor<2x16x16xbf16>,
    %pages: tensor<?x?xi32>, %lens: tensor<?xi32>, %cu: tensor<?xi32>,
    %table: tensor<?x0xf32>, %p: tensor<?xi64>, %out: tensor<?x2x8xbf16>,
    %cache: tensor<?x8x16xbf16>) -> (tensor<?x2x8xbf16>, tensor<?x8x16xbf16>) {
  %q = tensor.concat dim(2) %q_nope, %q_pe
      : (tensor<?x2x8xbf16>, tensor<?x2x0xbf16>) -> tensor<?x2x8xbf16>
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x8xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x0xbf16>, w_kv_b = %w : tensor<2x16x16xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>, cos_sin = %table : tensor<?x0xf32>,
          positions = %p : tensor<?xi64>)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x8x16xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 0>, softmax_scale = 0.25 : f64}
  return %r#0, %r#1 : tensor<?x2x8xbf16>, tensor<?x8x16xbf16>
}

// CHECK-LABEL: @append
// CHECK-SAME: %[[CKV:[a-z0-9]+]]: tensor<?x16xbf16>
// CHECK: mla.append ins(c_kv = %[[CKV]] : tensor<?x16xbf16>, q_nope = %{{[a-z0-9]+}} : tensor<?x2x16xbf16>, slots = %{{[a-z0-9]+}} : tensor<?xi64>) outs(query = %{{[a-z0-9]+}} : tensor<?x2x16xbf16>, cache = %{{[a-z0-9]+}} : tensor<?x8x16xbf16>){{$}}
func.func @append(
    %c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x0xbf16>,
    %q_nope: tensor<?x2x16xbf16>, %q_pe: tensor<?x2x0xbf16>,
    %slots: tensor<?xi64>, %query: tensor<?x2x16xbf16>,
    %k_pe_out: tensor<?x0xbf16>, %cache: tensor<?x8x16xbf16>)
    -> (tensor<?x2x16xbf16>, tensor<?x0xbf16>, tensor<?x8x16xbf16>) {
  %r:3 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x0xbf16>,
          q_nope = %q_nope : tensor<?x2x16xbf16>,
          q_pe = %q_pe : tensor<?x2x0xbf16>, slots = %slots : tensor<?xi64>)
      outs(query = %query : tensor<?x2x16xbf16>,
           k_pe_out = %k_pe_out : tensor<?x0xbf16>,
           cache = %cache : tensor<?x8x16xbf16>)
  return %r#0, %r#1, %r#2
      : tensor<?x2x16xbf16>, tensor<?x0xbf16>, tensor<?x8x16xbf16>
}

// Nothing is left to do.
// CHECK-LABEL: @only_key
// CHECK-SAME: %[[OUT:[a-z0-9]+]]: tensor<?x0xbf16>)
// CHECK-NEXT: return %[[OUT]]
func.func @only_key(%k_pe: tensor<?x0xbf16>, %cu: tensor<?xi32>,
                    %k_pe_out: tensor<?x0xbf16>) -> tensor<?x0xbf16> {
  %r = mla.append
      ins(k_pe = %k_pe : tensor<?x0xbf16>, cu_q = %cu : tensor<?xi32>)
      outs(k_pe_out = %k_pe_out : tensor<?x0xbf16>)
  return %r : tensor<?x0xbf16>
}

// CHECK-LABEL: @expanded_attention
// CHECK: mla.expanded_attention ins(q = %{{[a-z0-9]+}} : tensor<?x2x8xbf16>, k_nope = %{{[a-z0-9]+}} : tensor<?x2x8xbf16>, v = {{.*}}indices = %{{[a-z0-9]+}} : tensor<?x0xi32>)
func.func @expanded_attention(
    %q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %k_pe: tensor<?x0xbf16>,
    %v: tensor<?x2x6xbf16>, %cu_q: tensor<?xi32>, %cu_k: tensor<?xi32>,
    %indices: tensor<?x0xi32>, %o: tensor<?x2x6xbf16>) -> tensor<?x2x6xbf16> {
  // With topk = 0 a token sees nothing: those indices must stay.
  %r = mla.expanded_attention
      ins(q = %q : tensor<?x2x8xbf16>, k_nope = %k : tensor<?x2x8xbf16>,
          k_pe = %k_pe : tensor<?x0xbf16>, v = %v : tensor<?x2x6xbf16>,
          cu_q = %cu_q : tensor<?xi32>, cu_k = %cu_k : tensor<?xi32>,
          indices = %indices : tensor<?x0xi32>)
      outs(o = %o : tensor<?x2x6xbf16>) {causal, softmax_scale = 0.25 : f64}
  return %r : tensor<?x2x6xbf16>
}

// CHECK-LABEL: @gather_kv
// CHECK-SAME: %[[OUT:[a-z0-9]+]]: tensor<?x0xbf16>)
// CHECK: %[[R:.+]] = mla.gather_kv {{.*}} outs(c_kv = %{{[a-z0-9]+}} : tensor<?x16xbf16>)
// CHECK-NEXT: return %[[R]], %[[OUT]]
func.func @gather_kv(
    %cache: tensor<?x8x16xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %length: index, %c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x0xbf16>)
    -> (tensor<?x16xbf16>, tensor<?x0xbf16>) {
  %r:2 = mla.gather_kv
      ins(cache = %cache : tensor<?x8x16xbf16>, page_table = %pages : tensor<?x?xi32>,
          kv_lens = %lens : tensor<?xi32>, window_length = %length : index)
      outs(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x0xbf16>)
  return %r#0, %r#1 : tensor<?x16xbf16>, tensor<?x0xbf16>
}

// A concatenation that shows more of the shape leaves a cast behind.
// CHECK-LABEL: @concat_static
// CHECK: mla.absorb_q ins(q_nope = %{{[a-z0-9]+}} : tensor<3x2x8xbf16>
func.func @concat_static(
    %a: tensor<?x2x8xbf16>, %b: tensor<3x2x0xbf16>, %w: tensor<2x8x16xbf16>,
    %query: tensor<3x2x16xbf16>) -> tensor<3x2x16xbf16> {
  %q = tensor.concat dim(2) %b, %a
      : (tensor<3x2x0xbf16>, tensor<?x2x8xbf16>) -> tensor<3x2x8xbf16>
  %r = mla.absorb_q
      ins(q_nope = %q : tensor<3x2x8xbf16>, w_uk = %w : tensor<2x8x16xbf16>)
      outs(query = %query : tensor<3x2x16xbf16>)
  return %r : tensor<3x2x16xbf16>
}
