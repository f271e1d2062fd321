// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --verify-roundtrip | FileCheck %s
// RUN: mla-opt %s --emit-bytecode | mla-opt | FileCheck %s
// RUN: mla-opt %s --mlir-print-op-generic | mla-opt | FileCheck %s

// CHECK-LABEL: @rotated
// CHECK: %out, %cache = mla.attention ins(q = %{{[a-z0-9]+}} : tensor<?x2x12xbf16>, c_kv = %{{[a-z0-9]+}} : tensor<?x16xbf16>, k_pe = %{{[a-z0-9]+}} : tensor<?x4xbf16>, w_kv_b = %{{[a-z0-9]+}} : tensor<2x16x16xbf16>, page_table = %{{[a-z0-9]+}} : tensor<?x?xi32>, kv_lens = %{{[a-z0-9]+}} : tensor<?xi32>, cu_q = %{{[a-z0-9]+}} : tensor<?xi32>, cos_sin = %{{[a-z0-9]+}} : tensor<?x4xf32>)
// CHECK-SAME: outs(out = %{{[a-z0-9]+}} : tensor<?x2x8xbf16>, cache = %{{[a-z0-9]+}} : tensor<?x8x20xbf16>)
// CHECK-SAME: {rope = #mla.rope<interleaved, head_dim = 4>, softmax_scale = 2.500000e-01 : f64}
func.func @rotated(%q: tensor<?x2x12xbf16>, %c_kv: tensor<?x16xbf16>,
                   %k_pe: tensor<?x4xbf16>, %w_kv_b: tensor<2x16x16xbf16>,
                   %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
                   %cu_q: tensor<?xi32>, %cos_sin: tensor<?x4xf32>,
                   %out: tensor<?x2x8xbf16>, %cache: tensor<?x8x20xbf16>)
    -> (tensor<?x2x8xbf16>, tensor<?x8x20xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x4xf32>)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>, softmax_scale = 2.500000e-01 : f64}
  return %r#0, %r#1 : tensor<?x2x8xbf16>, tensor<?x8x20xbf16>
}

// CHECK-LABEL: @every_operand
// CHECK: %out, %cache = mla.attention ins(q = %{{[a-z0-9]+}} : tensor<?x2x12xbf16>, c_kv = %{{[a-z0-9]+}} : tensor<?x16xbf16>, k_pe = %{{[a-z0-9]+}} : tensor<?x4xbf16>, w_kv_b = %{{[a-z0-9]+}} : tensor<2x16x16xbf16>, page_table = %{{[a-z0-9]+}} : tensor<?x?xi32>, kv_lens = %{{[a-z0-9]+}} : tensor<?xi32>, cu_q = %{{[a-z0-9]+}} : tensor<?xi32>, cos_sin = %{{[a-z0-9]+}} : tensor<?x4xf32>, positions = %{{[a-z0-9]+}} : tensor<?xi32>, query_scale = %{{[a-z0-9]+}} : tensor<f32>, latent_scale = %{{[a-z0-9]+}} : tensor<f32>, pe_scale = %{{[a-z0-9]+}} : tensor<f32>, sinks = %{{[a-z0-9]+}} : tensor<2xf32>, indices = %{{[a-z0-9]+}} : tensor<?x?xi32>, max_kv = %{{[a-z0-9]+}} : index, num_generation_seqs = %{{[a-z0-9]+}} : index, num_generation_tokens = %{{[a-z0-9]+}} : index)
// CHECK-SAME: outs(out = %{{[a-z0-9]+}} : tensor<?x2x8xbf16>, cache = %{{[a-z0-9]+}} : tensor<?x8x20xf8E4M3FN>)
// CHECK-SAME: {phase = #mla.phase<context>, rope = #mla.rope<half, head_dim = 4>, rounding = #mla.rounding<through_input_type>, softmax_scale = 2.500000e-01 : f64}
func.func @every_operand(%q: tensor<?x2x12xbf16>, %c_kv: tensor<?x16xbf16>,
                         %k_pe: tensor<?x4xbf16>, %w_kv_b: tensor<2x16x16xbf16>,
                         %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
                         %cu_q: tensor<?xi32>, %cos_sin: tensor<?x4xf32>,
                         %positions: tensor<?xi32>, %query_scale: tensor<f32>,
                         %latent_scale: tensor<f32>, %pe_scale: tensor<f32>,
                         %sinks: tensor<2xf32>, %indices: tensor<?x?xi32>,
                         %max_kv: index, %num_generation_seqs: index,
                         %num_generation_tokens: index,
                         %out: tensor<?x2x8xbf16>,
                         %cache: tensor<?x8x20xf8E4M3FN>)
    -> (tensor<?x2x8xbf16>, tensor<?x8x20xf8E4M3FN>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi32>,
          query_scale = %query_scale : tensor<f32>,
          latent_scale = %latent_scale : tensor<f32>,
          pe_scale = %pe_scale : tensor<f32>, sinks = %sinks : tensor<2xf32>,
          indices = %indices : tensor<?x?xi32>, max_kv = %max_kv : index,
          num_generation_seqs = %num_generation_seqs : index,
          num_generation_tokens = %num_generation_tokens : index)
      outs(out = %out : tensor<?x2x8xbf16>,
           cache = %cache : tensor<?x8x20xf8E4M3FN>)
      {phase = #mla.phase<context>, rope = #mla.rope<half, head_dim = 4>, rounding = #mla.rounding<through_input_type>, softmax_scale = 2.500000e-01 : f64}
  return %r#0, %r#1 : tensor<?x2x8xbf16>, tensor<?x8x20xf8E4M3FN>
}

// A positional part that is kept, but not rotated.
// CHECK-LABEL: @unrotated
// CHECK: %out, %cache = mla.attention ins(q = %{{[a-z0-9]+}} : tensor<?x2x12xbf16>, c_kv = %{{[a-z0-9]+}} : tensor<?x16xbf16>, k_pe = %{{[a-z0-9]+}} : tensor<?x4xbf16>, w_kv_b = %{{[a-z0-9]+}} : tensor<2x16x16xbf16>, page_table = %{{[a-z0-9]+}} : tensor<?x?xi32>, kv_lens = %{{[a-z0-9]+}} : tensor<?xi32>, cu_q = %{{[a-z0-9]+}} : tensor<?xi32>)
// CHECK-SAME: outs(out = %{{[a-z0-9]+}} : tensor<?x2x8xbf16>, cache = %{{[a-z0-9]+}} : tensor<?x8x20xbf16>)
// CHECK-SAME: {softmax_scale = 2.500000e-01 : f64}
func.func @unrotated(%q: tensor<?x2x12xbf16>, %c_kv: tensor<?x16xbf16>,
                     %k_pe: tensor<?x4xbf16>, %w_kv_b: tensor<2x16x16xbf16>,
                     %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
                     %cu_q: tensor<?xi32>, %out: tensor<?x2x8xbf16>,
                     %cache: tensor<?x8x20xbf16>)
    -> (tensor<?x2x8xbf16>, tensor<?x8x20xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x8x20xbf16>)
      {softmax_scale = 2.500000e-01 : f64}
  return %r#0, %r#1 : tensor<?x2x8xbf16>, tensor<?x8x20xbf16>
}

// R = 0: no positional part.
// CHECK-LABEL: @zero_width
// CHECK: %out, %cache = mla.attention ins(q = %{{[a-z0-9]+}} : tensor<?x2x8xbf16>, c_kv = %{{[a-z0-9]+}} : tensor<?x16xbf16>, w_kv_b = %{{[a-z0-9]+}} : tensor<2x16x16xbf16>, page_table = %{{[a-z0-9]+}} : tensor<?x?xi32>, kv_lens = %{{[a-z0-9]+}} : tensor<?xi32>, cu_q = %{{[a-z0-9]+}} : tensor<?xi32>)
// CHECK-SAME: outs(out = %{{[a-z0-9]+}} : tensor<?x2x8xbf16>, cache = %{{[a-z0-9]+}} : tensor<?x8x16xbf16>)
// CHECK-SAME: {softmax_scale = 2.500000e-01 : f64}
func.func @zero_width(%q: tensor<?x2x8xbf16>, %c_kv: tensor<?x16xbf16>,
                      %w_kv_b: tensor<2x16x16xbf16>,
                      %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
                      %cu_q: tensor<?xi32>, %out: tensor<?x2x8xbf16>,
                      %cache: tensor<?x8x16xbf16>)
    -> (tensor<?x2x8xbf16>, tensor<?x8x16xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x8xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x8x16xbf16>)
      {softmax_scale = 2.500000e-01 : f64}
  return %r#0, %r#1 : tensor<?x2x8xbf16>, tensor<?x8x16xbf16>
}

// A config copied in: what no live rope needs has any shape.
// CHECK-LABEL: @disabled
// CHECK: %out, %cache = mla.attention ins(q = %{{[a-z0-9]+}} : tensor<?x2x8xbf16>, c_kv = %{{[a-z0-9]+}} : tensor<?x16xbf16>, w_kv_b = %{{[a-z0-9]+}} : tensor<2x16x16xbf16>, page_table = %{{[a-z0-9]+}} : tensor<?x?xi32>, kv_lens = %{{[a-z0-9]+}} : tensor<?xi32>, cu_q = %{{[a-z0-9]+}} : tensor<?xi32>, cos_sin = %{{[a-z0-9]+}} : tensor<?x64xf32>, positions = %{{[a-z0-9]+}} : tensor<7xi64>)
// CHECK-SAME: outs(out = %{{[a-z0-9]+}} : tensor<?x2x8xbf16>, cache = %{{[a-z0-9]+}} : tensor<?x8x16xbf16>)
// CHECK-SAME: {rope = #mla.rope<interleaved, head_dim = 64, enabled = false>, softmax_scale = 2.500000e-01 : f64}
func.func @disabled(%q: tensor<?x2x8xbf16>, %c_kv: tensor<?x16xbf16>,
                    %w_kv_b: tensor<2x16x16xbf16>, %page_table: tensor<?x?xi32>,
                    %kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
                    %cos_sin: tensor<?x64xf32>, %positions: tensor<7xi64>,
                    %out: tensor<?x2x8xbf16>, %cache: tensor<?x8x16xbf16>)
    -> (tensor<?x2x8xbf16>, tensor<?x8x16xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x8xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x64xf32>,
          positions = %positions : tensor<7xi64>)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x8x16xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 64, enabled = false>, softmax_scale = 2.500000e-01 : f64}
  return %r#0, %r#1 : tensor<?x2x8xbf16>, tensor<?x8x16xbf16>
}

// CHECK-LABEL: @buffers
// CHECK: mla.attention ins(q = %{{[a-z0-9]+}} : memref<?x2x12xbf16>, c_kv = %{{[a-z0-9]+}} : memref<?x16xbf16>, k_pe = %{{[a-z0-9]+}} : memref<?x4xbf16>, w_kv_b = %{{[a-z0-9]+}} : memref<2x16x16xbf16>, page_table = %{{[a-z0-9]+}} : memref<?x?xi32>, kv_lens = %{{[a-z0-9]+}} : memref<?xi32>, cu_q = %{{[a-z0-9]+}} : memref<?xi32>, cos_sin = %{{[a-z0-9]+}} : memref<?x4xf32>)
// CHECK-SAME: outs(out = %{{[a-z0-9]+}} : memref<?x2x8xbf16>, cache = %{{[a-z0-9]+}} : memref<?x8x20xbf16>)
// CHECK-SAME: {rope = #mla.rope<interleaved, head_dim = 4>, softmax_scale = 2.500000e-01 : f64}
func.func @buffers(%q: memref<?x2x12xbf16>, %c_kv: memref<?x16xbf16>,
                   %k_pe: memref<?x4xbf16>, %w_kv_b: memref<2x16x16xbf16>,
                   %page_table: memref<?x?xi32>, %kv_lens: memref<?xi32>,
                   %cu_q: memref<?xi32>, %cos_sin: memref<?x4xf32>,
                   %out: memref<?x2x8xbf16>, %cache: memref<?x8x20xbf16>) {
  mla.attention
      ins(q = %q : memref<?x2x12xbf16>, c_kv = %c_kv : memref<?x16xbf16>,
          k_pe = %k_pe : memref<?x4xbf16>,
          w_kv_b = %w_kv_b : memref<2x16x16xbf16>,
          page_table = %page_table : memref<?x?xi32>,
          kv_lens = %kv_lens : memref<?xi32>, cu_q = %cu_q : memref<?xi32>,
          cos_sin = %cos_sin : memref<?x4xf32>)
      outs(out = %out : memref<?x2x8xbf16>, cache = %cache : memref<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>, softmax_scale = 2.500000e-01 : f64}
  return
}
