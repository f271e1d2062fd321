// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-decompose=form=auto --canonicalize --split-input-file | FileCheck %s

// A batch of generation alone is one absorbed attention, known beforehand or not: no
// context token costs nothing in either form.

// CHECK-LABEL: func.func @decode_only_static(
// CHECK-NOT:     scf.if
// CHECK-NOT:     mla.expanded_attention
// CHECK:         mla.absorbed_attention ins(query = %{{.+}} : tensor<64x2x10xbf16>
// CHECK-NOT:     mla.expanded_attention
// CHECK:         return
func.func @decode_only_static(
    %q: tensor<64x2x6xbf16>, %c_kv: tensor<64x8xbf16>, %k_pe: tensor<64x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<4x8xi32>,
    %kv_lens: tensor<4xi32>, %cu_q: tensor<5xi32>, %cos_sin: tensor<?x2xf32>,
    %out: tensor<64x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<64x2x4xbf16>, tensor<?x16x10xbf16>) {
  %num_generation_seqs = arith.constant 4 : index
  %num_generation_tokens = arith.constant 64 : index
  %r:2 = mla.attention
      ins(q = %q : tensor<64x2x6xbf16>, c_kv = %c_kv : tensor<64x8xbf16>,
          k_pe = %k_pe : tensor<64x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<4x8xi32>,
          kv_lens = %kv_lens : tensor<4xi32>, cu_q = %cu_q : tensor<5xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>,
          num_generation_seqs = %num_generation_seqs : index,
          num_generation_tokens = %num_generation_tokens : index)
      outs(out = %out : tensor<64x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<64x2x4xbf16>, tensor<?x16x10xbf16>
}

// -----

// The test is strict, so that 0 < 0 picks the second branch.
// CHECK-LABEL: func.func @decode_only(
// CHECK:         %[[CHEAPER:.+]] = arith.cmpi ult
// CHECK:         scf.if %[[CHEAPER]]
// CHECK:           mla.expanded_attention
// CHECK:         } else {
// CHECK-NOT:       mla.expanded_attention
// CHECK:           mla.absorbed_attention
// CHECK-NOT:       mla.expanded_attention
// CHECK:         return
func.func @decode_only(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<?x?xi32>,
    %kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>, %cos_sin: tensor<?x2xf32>,
    %num_generation_seqs: index, %num_generation_tokens: index, %out: tensor<?x2x4xbf16>,
    %cache: tensor<?x16x10xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>,
          num_generation_seqs = %num_generation_seqs : index,
          num_generation_tokens = %num_generation_tokens : index)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xbf16>
}
