// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --verify-roundtrip | FileCheck %s
// RUN: mla-opt %s --emit-bytecode | mla-opt | FileCheck %s
// RUN: mla-opt %s --mlir-print-op-generic | mla-opt | FileCheck %s

// CHECK-LABEL: @rotated
// CHECK: %query, %cache = mla.append ins(c_kv = %{{[a-z0-9]+}} : tensor<?x16xbf16>, k_pe = %{{[a-z0-9]+}} : tensor<?x4xbf16>, q_nope = %{{[a-z0-9]+}} : tensor<?x2x16xbf16>, q_pe = %{{[a-z0-9]+}} : tensor<?x2x4xbf16>, slots = %{{[a-z0-9]+}} : tensor<?xi64>, cos_sin = %{{[a-z0-9]+}} : tensor<?x4xf32>, positions = %{{[a-z0-9]+}} : tensor<?xi64>)
// CHECK-SAME: outs(query = %{{[a-z0-9]+}} : tensor<?x2x20xbf16>, cache = %{{[a-z0-9]+}} : tensor<?x8x20xbf16>)
// CHECK-SAME: {rope = #mla.rope<interleaved, head_dim = 4>}
func.func @rotated(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
                   %q_nope: tensor<?x2x16xbf16>, %q_pe: tensor<?x2x4xbf16>,
                   %slots: tensor<?xi64>, %cos_sin: tensor<?x4xf32>,
                   %positions: tensor<?xi64>, %query: tensor<?x2x20xbf16>,
                   %cache: tensor<?x8x20xbf16>)
    -> (tensor<?x2x20xbf16>, tensor<?x8x20xbf16>) {
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_nope = %q_nope : tensor<?x2x16xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>)
      outs(query = %query : tensor<?x2x20xbf16>,
           cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return %r#0, %r#1 : tensor<?x2x20xbf16>, tensor<?x8x20xbf16>
}

// CHECK-LABEL: @every_operand
// CHECK: %query, %k_pe_out, %cache = mla.append ins(c_kv = %{{[a-z0-9]+}} : tensor<?x16xbf16>, k_pe = %{{[a-z0-9]+}} : tensor<?x4xbf16>, q_nope = %{{[a-z0-9]+}} : tensor<?x2x16xbf16>, q_pe = %{{[a-z0-9]+}} : tensor<?x2x4xbf16>, slots = %{{[a-z0-9]+}} : tensor<?xi64>, cos_sin = %{{[a-z0-9]+}} : tensor<?x4xf32>, positions = %{{[a-z0-9]+}} : tensor<?xi64>, cu_q = %{{[a-z0-9]+}} : tensor<?xi32>, query_scale = %{{[a-z0-9]+}} : tensor<f32>, latent_scale = %{{[a-z0-9]+}} : tensor<f32>, pe_scale = %{{[a-z0-9]+}} : tensor<f32>)
// CHECK-SAME: outs(query = %{{[a-z0-9]+}} : tensor<?x2x20xf8E4M3FN>, k_pe_out = %{{[a-z0-9]+}} : tensor<?x4xbf16>, cache = %{{[a-z0-9]+}} : tensor<?x8x20xf8E4M3FN>)
// CHECK-SAME: {phase = #mla.phase<context>, rope = #mla.rope<half, head_dim = 4>, rounding = #mla.rounding<direct>}
func.func @every_operand(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
                         %q_nope: tensor<?x2x16xbf16>,
                         %q_pe: tensor<?x2x4xbf16>, %slots: tensor<?xi64>,
                         %cos_sin: tensor<?x4xf32>, %positions: tensor<?xi64>,
                         %cu_q: tensor<?xi32>, %query_scale: tensor<f32>,
                         %latent_scale: tensor<f32>, %pe_scale: tensor<f32>,
                         %query: tensor<?x2x20xf8E4M3FN>,
                         %k_pe_out: tensor<?x4xbf16>,
                         %cache: tensor<?x8x20xf8E4M3FN>)
    -> (tensor<?x2x20xf8E4M3FN>, tensor<?x4xbf16>, tensor<?x8x20xf8E4M3FN>) {
  %r:3 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_nope = %q_nope : tensor<?x2x16xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>, cu_q = %cu_q : tensor<?xi32>,
          query_scale = %query_scale : tensor<f32>,
          latent_scale = %latent_scale : tensor<f32>,
          pe_scale = %pe_scale : tensor<f32>)
      outs(query = %query : tensor<?x2x20xf8E4M3FN>,
           k_pe_out = %k_pe_out : tensor<?x4xbf16>,
           cache = %cache : tensor<?x8x20xf8E4M3FN>)
      {phase = #mla.phase<context>, rope = #mla.rope<half, head_dim = 4>, rounding = #mla.rounding<direct>}
  return %r#0, %r#1, %r#2 : tensor<?x2x20xf8E4M3FN>, tensor<?x4xbf16>, tensor<?x8x20xf8E4M3FN>
}

// The query's own columns are rotated.
// CHECK-LABEL: @in_place
// CHECK: %query, %cache = mla.append ins(c_kv = %{{[a-z0-9]+}} : tensor<?x16xbf16>, k_pe = %{{[a-z0-9]+}} : tensor<?x4xbf16>, slots = %{{[a-z0-9]+}} : tensor<?xi64>, cos_sin = %{{[a-z0-9]+}} : tensor<?x4xf32>, positions = %{{[a-z0-9]+}} : tensor<?xi64>)
// CHECK-SAME: outs(query = %{{[a-z0-9]+}} : tensor<?x2x20xbf16>, cache = %{{[a-z0-9]+}} : tensor<?x8x20xbf16>)
// CHECK-SAME: {rope = #mla.rope<interleaved, head_dim = 4>}
func.func @in_place(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
                    %slots: tensor<?xi64>, %cos_sin: tensor<?x4xf32>,
                    %positions: tensor<?xi64>, %query: tensor<?x2x20xbf16>,
                    %cache: tensor<?x8x20xbf16>)
    -> (tensor<?x2x20xbf16>, tensor<?x8x20xbf16>) {
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          slots = %slots : tensor<?xi64>, cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>)
      outs(query = %query : tensor<?x2x20xbf16>,
           cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return %r#0, %r#1 : tensor<?x2x20xbf16>, tensor<?x8x20xbf16>
}

// CHECK-LABEL: @only_query
// CHECK: %query = mla.append ins(q_nope = %{{[a-z0-9]+}} : tensor<?x2x16xbf16>, q_pe = %{{[a-z0-9]+}} : tensor<?x2x4xbf16>, cos_sin = %{{[a-z0-9]+}} : tensor<?x4xf32>, positions = %{{[a-z0-9]+}} : tensor<?xi64>)
// CHECK-SAME: outs(query = %{{[a-z0-9]+}} : tensor<?x2x20xbf16>)
// CHECK-SAME: {rope = #mla.rope<interleaved, head_dim = 4>}
func.func @only_query(%q_nope: tensor<?x2x16xbf16>, %q_pe: tensor<?x2x4xbf16>,
                      %cos_sin: tensor<?x4xf32>, %positions: tensor<?xi64>,
                      %query: tensor<?x2x20xbf16>)
    -> tensor<?x2x20xbf16> {
  %r = mla.append
      ins(q_nope = %q_nope : tensor<?x2x16xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>)
      outs(query = %query : tensor<?x2x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return %r : tensor<?x2x20xbf16>
}

// CHECK-LABEL: @only_key
// CHECK: %k_pe_out = mla.append ins(k_pe = %{{[a-z0-9]+}} : tensor<?x4xbf16>, cos_sin = %{{[a-z0-9]+}} : tensor<?x4xf32>, positions = %{{[a-z0-9]+}} : tensor<?xi64>)
// CHECK-SAME: outs(k_pe_out = %{{[a-z0-9]+}} : tensor<?x4xbf16>)
// CHECK-SAME: {rope = #mla.rope<interleaved, head_dim = 4>}
func.func @only_key(%k_pe: tensor<?x4xbf16>, %cos_sin: tensor<?x4xf32>,
                    %positions: tensor<?xi64>, %k_pe_out: tensor<?x4xbf16>)
    -> tensor<?x4xbf16> {
  %r = mla.append
      ins(k_pe = %k_pe : tensor<?x4xbf16>, cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>)
      outs(k_pe_out = %k_pe_out : tensor<?x4xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return %r : tensor<?x4xbf16>
}

// CHECK-LABEL: @only_cache
// CHECK: %cache = mla.append ins(c_kv = %{{[a-z0-9]+}} : tensor<?x16xbf16>, k_pe = %{{[a-z0-9]+}} : tensor<?x4xbf16>, slots = %{{[a-z0-9]+}} : tensor<?xi64>)
// CHECK-SAME: outs(cache = %{{[a-z0-9]+}} : tensor<?x8x20xbf16>){{$}}
func.func @only_cache(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
                      %slots: tensor<?xi64>, %cache: tensor<?x8x20xbf16>)
    -> tensor<?x8x20xbf16> {
  %r = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          slots = %slots : tensor<?xi64>)
      outs(cache = %cache : tensor<?x8x20xbf16>)
  return %r : tensor<?x8x20xbf16>
}

// R = 0.
// CHECK-LABEL: @zero_width
// CHECK: %query, %cache = mla.append ins(c_kv = %{{[a-z0-9]+}} : tensor<?x16xbf16>, q_nope = %{{[a-z0-9]+}} : tensor<?x2x16xbf16>, slots = %{{[a-z0-9]+}} : tensor<?xi64>)
// CHECK-SAME: outs(query = %{{[a-z0-9]+}} : tensor<?x2x16xbf16>, cache = %{{[a-z0-9]+}} : tensor<?x8x16xbf16>){{$}}
func.func @zero_width(%c_kv: tensor<?x16xbf16>, %q_nope: tensor<?x2x16xbf16>,
                      %slots: tensor<?xi64>, %query: tensor<?x2x16xbf16>,
                      %cache: tensor<?x8x16xbf16>)
    -> (tensor<?x2x16xbf16>, tensor<?x8x16xbf16>) {
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>,
          q_nope = %q_nope : tensor<?x2x16xbf16>, slots = %slots : tensor<?xi64>)
      outs(query = %query : tensor<?x2x16xbf16>,
           cache = %cache : tensor<?x8x16xbf16>)
  return %r#0, %r#1 : tensor<?x2x16xbf16>, tensor<?x8x16xbf16>
}

// CHECK-LABEL: @buffers
// CHECK: mla.append ins(c_kv = %{{[a-z0-9]+}} : memref<?x16xbf16>, k_pe = %{{[a-z0-9]+}} : memref<?x4xbf16>, q_nope = %{{[a-z0-9]+}} : memref<?x2x16xbf16>, q_pe = %{{[a-z0-9]+}} : memref<?x2x4xbf16>, slots = %{{[a-z0-9]+}} : memref<?xi64>, cos_sin = %{{[a-z0-9]+}} : memref<?x4xf32>, positions = %{{[a-z0-9]+}} : memref<?xi64>)
// CHECK-SAME: outs(query = %{{[a-z0-9]+}} : memref<?x2x20xbf16>, cache = %{{[a-z0-9]+}} : memref<?x8x20xbf16>)
// CHECK-SAME: {rope = #mla.rope<interleaved, head_dim = 4>}
func.func @buffers(%c_kv: memref<?x16xbf16>, %k_pe: memref<?x4xbf16>,
                   %q_nope: memref<?x2x16xbf16>, %q_pe: memref<?x2x4xbf16>,
                   %slots: memref<?xi64>, %cos_sin: memref<?x4xf32>,
                   %positions: memref<?xi64>, %query: memref<?x2x20xbf16>,
                   %cache: memref<?x8x20xbf16>) {
  mla.append
      ins(c_kv = %c_kv : memref<?x16xbf16>, k_pe = %k_pe : memref<?x4xbf16>,
          q_nope = %q_nope : memref<?x2x16xbf16>,
          q_pe = %q_pe : memref<?x2x4xbf16>, slots = %slots : memref<?xi64>,
          cos_sin = %cos_sin : memref<?x4xf32>,
          positions = %positions : memref<?xi64>)
      outs(query = %query : memref<?x2x20xbf16>,
           cache = %cache : memref<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// CHECK-LABEL: @strided_buffers
// CHECK: mla.append ins(c_kv = %{{[a-z0-9]+}} : memref<?x16xbf16>, k_pe = %{{[a-z0-9]+}} : memref<?x4xbf16>, q_nope = %{{[a-z0-9]+}} : memref<?x2x16xbf16>, q_pe = %{{[a-z0-9]+}} : memref<?x2x4xbf16, strided<[24, 12, 1], offset: 8>>, slots = %{{[a-z0-9]+}} : memref<?xi64>, cos_sin = %{{[a-z0-9]+}} : memref<?x4xf32>, positions = %{{[a-z0-9]+}} : memref<?xi64>)
// CHECK-SAME: outs(query = %{{[a-z0-9]+}} : memref<?x2x20xbf16>, cache = %{{[a-z0-9]+}} : memref<?x8x20xbf16, strided<[?, ?, 1], offset: ?>>)
// CHECK-SAME: {rope = #mla.rope<interleaved, head_dim = 4>}
func.func @strided_buffers(%c_kv: memref<?x16xbf16>, %k_pe: memref<?x4xbf16>,
                           %q_nope: memref<?x2x16xbf16>,
                           %q_pe: memref<?x2x4xbf16, strided<[24, 12, 1], offset: 8>>,
                           %slots: memref<?xi64>, %cos_sin: memref<?x4xf32>,
                           %positions: memref<?xi64>,
                           %query: memref<?x2x20xbf16>,
                           %cache: memref<?x8x20xbf16, strided<[?, ?, 1], offset: ?>>) {
  mla.append
      ins(c_kv = %c_kv : memref<?x16xbf16>, k_pe = %k_pe : memref<?x4xbf16>,
          q_nope = %q_nope : memref<?x2x16xbf16>,
          q_pe = %q_pe : memref<?x2x4xbf16, strided<[24, 12, 1], offset: 8>>,
          slots = %slots : memref<?xi64>, cos_sin = %cos_sin : memref<?x4xf32>,
          positions = %positions : memref<?xi64>)
      outs(query = %query : memref<?x2x20xbf16>,
           cache = %cache : memref<?x8x20xbf16, strided<[?, ?, 1], offset: ?>>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}
