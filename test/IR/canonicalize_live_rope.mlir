// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What rotates stays byte for byte.

// RUN: mla-opt %s > %t.before
// RUN: mla-opt %s --canonicalize | diff %t.before -
// RUN: FileCheck %s < %t.before

// CHECK-COUNT-4: rope = #mla.rope<
module {
  func.func @attention(
      %q: tensor<?x2x12xbf16>, %c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
      %w: tensor<2x16x16xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
      %cu: tensor<?xi32>, %table: tensor<?x4xf32>,
      %out: tensor<?x2x8xbf16>, %cache: tensor<?x8x20xbf16>)
      -> (tensor<?x2x8xbf16>, tensor<?x8x20xbf16>) {
    %r:2 = mla.attention
        ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
            k_pe = %k_pe : tensor<?x4xbf16>, w_kv_b = %w : tensor<2x16x16xbf16>,
            page_table = %pages : tensor<?x?xi32>,
            kv_lens = %lens : tensor<?xi32>, cu_q = %cu : tensor<?xi32>,
            cos_sin = %table : tensor<?x4xf32>)
        outs(out = %out : tensor<?x2x8xbf16>,
             cache = %cache : tensor<?x8x20xbf16>)
        {rope = #mla.rope<interleaved, head_dim = 4>,
         phase = #mla.phase<generation>, softmax_scale = 0.25 : f64}
    return %r#0, %r#1 : tensor<?x2x8xbf16>, tensor<?x8x20xbf16>
  }

  // Nothing is moved for the query, but its columns are rotated in place.
  func.func @append(
      %c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>, %slots: tensor<?xi64>,
      %table: tensor<?x4xf32>, %p: tensor<?xi64>, %query: tensor<?x2x20xbf16>,
      %cache: tensor<?x8x20xbf16>)
      -> (tensor<?x2x20xbf16>, tensor<?x8x20xbf16>) {
    %r:2 = mla.append
        ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
            slots = %slots : tensor<?xi64>, cos_sin = %table : tensor<?x4xf32>,
            positions = %p : tensor<?xi64>)
        outs(query = %query : tensor<?x2x20xbf16>,
             cache = %cache : tensor<?x8x20xbf16>)
        {rope = #mla.rope<half, head_dim = 4>}
    return %r#0, %r#1 : tensor<?x2x20xbf16>, tensor<?x8x20xbf16>
  }

  // A table that is constant, but no identity, and positions that are all 0: with
  // YaRN the factor is in row 0 as well.
  func.func @yarn_at_position_0(%x: tensor<2x4xbf16>, %y: tensor<2x4xbf16>)
      -> tensor<2x4xbf16> {
    %table = arith.constant dense<[[1.25, 1.25, 0.0, 0.0],
                                   [0.7, 1.2, 1.0, 0.1]]> : tensor<2x4xf32>
    %positions = arith.constant dense<0> : tensor<2xi64>
    %r = mla.rope
        ins(x = %x : tensor<2x4xbf16>, cos_sin = %table : tensor<2x4xf32>,
            positions = %positions : tensor<2xi64>)
        outs(y = %y : tensor<2x4xbf16>)
        {rope = #mla.rope<interleaved, head_dim = 4>}
    return %r : tensor<2x4xbf16>
  }

  func.func @rope(%x: tensor<?x4xbf16>, %table: tensor<?x4xf32>,
                  %p: tensor<?xi64>, %y: tensor<?x4xbf16>) -> tensor<?x4xbf16> {
    %r = mla.rope
        ins(x = %x : tensor<?x4xbf16>, cos_sin = %table : tensor<?x4xf32>,
            positions = %p : tensor<?xi64>)
        outs(y = %y : tensor<?x4xbf16>)
        {rope = #mla.rope<interleaved, head_dim = 4>}
    return %r : tensor<?x4xbf16>
  }
}
