// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What has nothing to do in an append goes.

// RUN: mla-opt %s --canonicalize | FileCheck %s
// RUN: mla-opt %s --canonicalize > %t.once
// RUN: mla-opt %t.once --canonicalize | diff %t.once -

// CHECK-LABEL: @only_cache_left
// CHECK-SAME: %[[QUERY:[a-z0-9]+]]: tensor<?x2x20xbf16>
// CHECK: %[[CACHE:.+]] = mla.append ins(c_kv = %{{[a-z0-9]+}} : tensor<?x16xbf16>, k_pe = %{{[a-z0-9]+}} : tensor<?x4xbf16>, slots = %{{[a-z0-9]+}} : tensor<?xi64>) outs(cache = %{{[a-z0-9]+}} : tensor<?x8x20xbf16>) {mla.rope_off = "disabled in the rope attribute", phase = #mla.phase<generation>}
// CHECK: return %[[QUERY]], %[[CACHE]]
func.func @only_cache_left(
    %c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>, %slots: tensor<?xi64>,
    %table: tensor<?x4xf32>, %p: tensor<?xi64>, %query: tensor<?x2x20xbf16>,
    %cache: tensor<?x8x20xbf16>) -> (tensor<?x2x20xbf16>, tensor<?x8x20xbf16>) {
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          slots = %slots : tensor<?xi64>, cos_sin = %table : tensor<?x4xf32>,
          positions = %p : tensor<?xi64>)
      outs(query = %query : tensor<?x2x20xbf16>,
           cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4, enabled = false>,
       phase = #mla.phase<generation>}
  return %r#0, %r#1 : tensor<?x2x20xbf16>, tensor<?x8x20xbf16>
}

// Scales of the cache stay with it.
// CHECK-LABEL: @only_quantized_cache_left
// CHECK: mla.append ins({{.*}}latent_scale = {{.*}}pe_scale = {{.*}}) outs(cache = %{{[a-z0-9]+}} : tensor<?x8x20xf8E4M3FN>) {rounding = #mla.rounding<direct>}
func.func @only_quantized_cache_left(
    %c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>, %slots: tensor<?xi64>,
    %ls: tensor<f32>, %ps: tensor<f32>, %query: tensor<?x2x20xbf16>,
    %cache: tensor<?x8x20xf8E4M3FN>) -> (tensor<?x2x20xbf16>, tensor<?x8x20xf8E4M3FN>) {
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          slots = %slots : tensor<?xi64>, latent_scale = %ls : tensor<f32>,
          pe_scale = %ps : tensor<f32>)
      outs(query = %query : tensor<?x2x20xbf16>,
           cache = %cache : tensor<?x8x20xf8E4M3FN>)
      {rounding = #mla.rounding<direct>}
  return %r#0, %r#1 : tensor<?x2x20xbf16>, tensor<?x8x20xf8E4M3FN>
}

// CHECK-LABEL: @key_is_forwarded
// CHECK-SAME: %[[KPE:[a-z0-9]+]]: tensor<?x4xbf16>
// CHECK: %[[CACHE:.+]] = mla.append ins(c_kv = %{{[a-z0-9]+}} : tensor<?x16xbf16>, k_pe = %[[KPE]] : tensor<?x4xbf16>, slots = %{{[a-z0-9]+}} : tensor<?xi64>) outs(cache =
// CHECK: return %[[KPE]], %[[CACHE]]
func.func @key_is_forwarded(
    %c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>, %slots: tensor<?xi64>,
    %k_pe_out: tensor<?x4xbf16>, %cache: tensor<?x8x20xbf16>)
    -> (tensor<?x4xbf16>, tensor<?x8x20xbf16>) {
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          slots = %slots : tensor<?xi64>)
      outs(k_pe_out = %k_pe_out : tensor<?x4xbf16>,
           cache = %cache : tensor<?x8x20xbf16>)
  return %r#0, %r#1 : tensor<?x4xbf16>, tensor<?x8x20xbf16>
}

// CHECK-LABEL: @nothing_left
// CHECK-SAME: (%[[KPE:[a-z0-9]+]]: tensor<?x4xbf16>, %[[QUERY:[a-z0-9]+]]: tensor<?x2x20xbf16>
// CHECK-NEXT: return %[[QUERY]], %[[KPE]]
func.func @nothing_left(%k_pe: tensor<?x4xbf16>, %query: tensor<?x2x20xbf16>,
                        %k_pe_out: tensor<?x4xbf16>)
    -> (tensor<?x2x20xbf16>, tensor<?x4xbf16>) {
  %r:2 = mla.append
      ins(k_pe = %k_pe : tensor<?x4xbf16>)
      outs(query = %query : tensor<?x2x20xbf16>,
           k_pe_out = %k_pe_out : tensor<?x4xbf16>)
  return %r#0, %r#1 : tensor<?x2x20xbf16>, tensor<?x4xbf16>
}

// The query is assembled: that is a move.
// CHECK-LABEL: @moves
// CHECK: mla.append ins(q_pe = %{{[a-z0-9]+}} : tensor<?x2x4xbf16>) outs(query = %{{[a-z0-9]+}} : tensor<?x2x20xbf16>){{$}}
func.func @moves(%q_pe: tensor<?x2x4xbf16>, %query: tensor<?x2x20xbf16>)
    -> tensor<?x2x20xbf16> {
  %r = mla.append
      ins(q_pe = %q_pe : tensor<?x2x4xbf16>)
      outs(query = %query : tensor<?x2x20xbf16>)
  return %r : tensor<?x2x20xbf16>
}

// Rows of padding become 0: that is not what they were.
// CHECK-LABEL: @clears_padding
// CHECK: mla.append ins(k_pe = %{{[a-z0-9]+}} : tensor<?x4xbf16>, cu_q = %{{[a-z0-9]+}} : tensor<?xi32>) outs(query = %{{[a-z0-9]+}} : tensor<?x2x20xbf16>, k_pe_out = %{{[a-z0-9]+}} : tensor<?x4xbf16>){{$}}
func.func @clears_padding(%k_pe: tensor<?x4xbf16>, %cu: tensor<?xi32>,
                          %query: tensor<?x2x20xbf16>, %k_pe_out: tensor<?x4xbf16>)
    -> (tensor<?x2x20xbf16>, tensor<?x4xbf16>) {
  %r:2 = mla.append
      ins(k_pe = %k_pe : tensor<?x4xbf16>, cu_q = %cu : tensor<?xi32>)
      outs(query = %query : tensor<?x2x20xbf16>,
           k_pe_out = %k_pe_out : tensor<?x4xbf16>)
  return %r#0, %r#1 : tensor<?x2x20xbf16>, tensor<?x4xbf16>
}

// In the cache slots say what is padding.
// CHECK-LABEL: @cu_q_of_the_cache
// CHECK: mla.append ins(c_kv = %{{[a-z0-9]+}} : tensor<?x16xbf16>, slots = %{{[a-z0-9]+}} : tensor<?xi64>) outs(
func.func @cu_q_of_the_cache(%c_kv: tensor<?x16xbf16>, %slots: tensor<?xi64>,
                             %cu: tensor<?xi32>, %cache: tensor<?x8x16xbf16>)
    -> tensor<?x8x16xbf16> {
  %r = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, slots = %slots : tensor<?xi64>,
          cu_q = %cu : tensor<?xi32>)
      outs(cache = %cache : tensor<?x8x16xbf16>)
  return %r : tensor<?x8x16xbf16>
}
