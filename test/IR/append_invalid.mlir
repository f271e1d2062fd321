// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s -split-input-file -verify-diagnostics

// C1: widths.
func.func @f(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x6xbf16>,
             %q_nope: tensor<?x2x16xbf16>, %q_pe: tensor<?x2x4xbf16>,
             %slots: tensor<?xi64>, %cos_sin: tensor<?x4xf32>,
             %positions: tensor<?xi64>, %query: tensor<?x2x20xbf16>,
             %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.append' op (C1) q_pe: expected shape [T,H,R] with R = 6, got [?, 2, 4]}}
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x6xbf16>,
          q_nope = %q_nope : tensor<?x2x16xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>)
      outs(query = %query : tensor<?x2x20xbf16>,
           cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C1: sums of widths.
func.func @f(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
             %q_nope: tensor<?x2x16xbf16>, %q_pe: tensor<?x2x4xbf16>,
             %slots: tensor<?xi64>, %cos_sin: tensor<?x4xf32>,
             %positions: tensor<?xi64>, %query: tensor<?x2x20xbf16>,
             %cache: tensor<?x8x21xbf16>) {
  // expected-error @+1 {{'mla.append' op (C1) cache: expected shape [pages,P,L+R] with L = 16, R = 4, got [?, 8, 21]}}
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_nope = %q_nope : tensor<?x2x16xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>)
      outs(query = %query : tensor<?x2x20xbf16>,
           cache = %cache : tensor<?x8x21xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C2: tensors or buffers.
func.func @f(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
             %q_nope: tensor<?x2x16xbf16>, %q_pe: tensor<?x2x4xbf16>,
             %slots: tensor<?xi64>, %cos_sin: tensor<?x4xf32>,
             %positions: tensor<?xi64>, %query: tensor<?x2x20xbf16>,
             %cache: memref<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.append' op (C2) expected operands to be all tensors or all memrefs, got both}}
  %r = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_nope = %q_nope : tensor<?x2x16xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>)
      outs(query = %query : tensor<?x2x20xbf16>,
           cache = %cache : memref<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C3: a destination.
func.func @f(%cos_sin: tensor<?x4xf32>) {
  // expected-error @+1 {{'mla.append' op (C3) expected a destination, one of query, k_pe_out and cache, got none}}
  mla.append
      ins(cos_sin = %cos_sin : tensor<?x4xf32>)
      outs()
  return
}

// -----

// C3: what the cache is written from.
func.func @f(%k_pe: tensor<?x4xbf16>, %q_nope: tensor<?x2x16xbf16>,
             %q_pe: tensor<?x2x4xbf16>, %slots: tensor<?xi64>,
             %cos_sin: tensor<?x4xf32>, %positions: tensor<?xi64>,
             %query: tensor<?x2x20xbf16>, %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.append' op (C3) c_kv: expected an operand because there is a cache, got none}}
  %r:2 = mla.append
      ins(k_pe = %k_pe : tensor<?x4xbf16>,
          q_nope = %q_nope : tensor<?x2x16xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>)
      outs(query = %query : tensor<?x2x20xbf16>,
           cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C3: where it is written.
func.func @f(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
             %q_nope: tensor<?x2x16xbf16>, %q_pe: tensor<?x2x4xbf16>,
             %cos_sin: tensor<?x4xf32>, %positions: tensor<?xi64>,
             %query: tensor<?x2x20xbf16>, %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.append' op (C3) slots: expected an operand because there is a cache, got none}}
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_nope = %q_nope : tensor<?x2x16xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>)
      outs(query = %query : tensor<?x2x20xbf16>,
           cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C3: nothing to write there.
func.func @f(%q_nope: tensor<?x2x16xbf16>, %q_pe: tensor<?x2x4xbf16>,
             %slots: tensor<?xi64>, %cos_sin: tensor<?x4xf32>,
             %positions: tensor<?xi64>, %query: tensor<?x2x20xbf16>) {
  // expected-error @+1 {{'mla.append' op (C3) slots: expected none because there is no cache, got 'tensor<?xi64>'}}
  %r = mla.append
      ins(q_nope = %q_nope : tensor<?x2x16xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>)
      outs(query = %query : tensor<?x2x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C4: the key that k_pe_out comes from.
func.func @f(%cos_sin: tensor<?x4xf32>, %positions: tensor<?xi64>,
             %k_pe_out: tensor<?x4xbf16>) {
  // expected-error @+1 {{'mla.append' op (C4) k_pe: expected an operand because there is a k_pe_out, got none}}
  %r = mla.append
      ins(cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>)
      outs(k_pe_out = %k_pe_out : tensor<?x4xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C4: the key of the cache's rows.
func.func @f(%c_kv: tensor<?x16xbf16>, %q_nope: tensor<?x2x16xbf16>,
             %q_pe: tensor<?x2x4xbf16>, %slots: tensor<?xi64>,
             %cos_sin: tensor<?x4xf32>, %positions: tensor<?xi64>,
             %query: tensor<?x2x20xbf16>, %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.append' op (C4) k_pe: expected an operand because the cache's rows have R = 4 pe columns, got none}}
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>,
          q_nope = %q_nope : tensor<?x2x16xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>)
      outs(query = %query : tensor<?x2x20xbf16>,
           cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C4: a key that nothing takes.
func.func @f(%k_pe: tensor<?x4xbf16>, %q_nope: tensor<?x2x16xbf16>,
             %q_pe: tensor<?x2x4xbf16>, %cos_sin: tensor<?x4xf32>,
             %positions: tensor<?xi64>, %query: tensor<?x2x20xbf16>) {
  // expected-error @+1 {{'mla.append' op (C4) k_pe: expected none because there is neither a cache nor a k_pe_out, got 'tensor<?x4xbf16>'}}
  %r = mla.append
      ins(k_pe = %k_pe : tensor<?x4xbf16>,
          q_nope = %q_nope : tensor<?x2x16xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>)
      outs(query = %query : tensor<?x2x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C4: parts of no query.
func.func @f(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
             %q_pe: tensor<?x2x4xbf16>, %slots: tensor<?xi64>,
             %cos_sin: tensor<?x4xf32>, %positions: tensor<?xi64>,
             %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.append' op (C4) q_pe: expected none because there is no query, got 'tensor<?x2x4xbf16>'}}
  %r = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>)
      outs(cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C5: the width of a live rope.
func.func @f(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
             %q_nope: tensor<?x2x16xbf16>, %q_pe: tensor<?x2x4xbf16>,
             %slots: tensor<?xi64>, %cos_sin: tensor<?x4xf32>,
             %positions: tensor<?xi64>, %query: tensor<?x2x20xbf16>,
             %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.append' op (C5) rope: expected head_dim = R = 4, got 2}}
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_nope = %q_nope : tensor<?x2x16xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>)
      outs(query = %query : tensor<?x2x20xbf16>,
           cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>}
  return
}

// -----

// C5: the table of a live rope.
func.func @f(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
             %q_nope: tensor<?x2x16xbf16>, %q_pe: tensor<?x2x4xbf16>,
             %slots: tensor<?xi64>, %positions: tensor<?xi64>,
             %query: tensor<?x2x20xbf16>, %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.append' op (C5) cos_sin: expected an operand because the rope is live, got none}}
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_nope = %q_nope : tensor<?x2x16xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          positions = %positions : tensor<?xi64>)
      outs(query = %query : tensor<?x2x20xbf16>,
           cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C5: the positions of a live rope.
func.func @f(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
             %q_nope: tensor<?x2x16xbf16>, %q_pe: tensor<?x2x4xbf16>,
             %slots: tensor<?xi64>, %cos_sin: tensor<?x4xf32>,
             %query: tensor<?x2x20xbf16>, %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.append' op (C5) positions: expected an operand because the rope is live, got none}}
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_nope = %q_nope : tensor<?x2x16xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %cos_sin : tensor<?x4xf32>)
      outs(query = %query : tensor<?x2x20xbf16>,
           cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C6: the input type.
func.func @f(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
             %q_nope: tensor<?x2x16xf32>, %q_pe: tensor<?x2x4xbf16>,
             %slots: tensor<?xi64>, %cos_sin: tensor<?x4xf32>,
             %positions: tensor<?xi64>, %query: tensor<?x2x20xbf16>,
             %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.append' op (C6) q_nope: expected elements of type 'bf16', got 'f32'}}
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_nope = %q_nope : tensor<?x2x16xf32>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>)
      outs(query = %query : tensor<?x2x20xbf16>,
           cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C6: the key's type.
func.func @f(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
             %q_nope: tensor<?x2x16xbf16>, %q_pe: tensor<?x2x4xbf16>,
             %slots: tensor<?xi64>, %cos_sin: tensor<?x4xf32>,
             %positions: tensor<?xi64>, %query: tensor<?x2x20xbf16>,
             %k_pe_out: tensor<?x4xf32>, %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.append' op (C6) k_pe_out: expected elements of type 'bf16', got 'f32'}}
  %r:3 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_nope = %q_nope : tensor<?x2x16xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>)
      outs(query = %query : tensor<?x2x20xbf16>,
           k_pe_out = %k_pe_out : tensor<?x4xf32>,
           cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C6: the query's type.
func.func @f(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
             %q_nope: tensor<?x2x16xbf16>, %q_pe: tensor<?x2x4xbf16>,
             %slots: tensor<?xi64>, %cos_sin: tensor<?x4xf32>,
             %positions: tensor<?xi64>, %query: tensor<?x2x20xf16>,
             %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.append' op (C6) query: expected elements of type 'bf16' or 'f8E4M3FN', got 'f16'}}
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_nope = %q_nope : tensor<?x2x16xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>)
      outs(query = %query : tensor<?x2x20xf16>,
           cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C7: a quantized query has a scale.
func.func @f(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
             %q_nope: tensor<?x2x16xbf16>, %q_pe: tensor<?x2x4xbf16>,
             %slots: tensor<?xi64>, %cos_sin: tensor<?x4xf32>,
             %positions: tensor<?xi64>, %latent_scale: tensor<f32>,
             %pe_scale: tensor<f32>, %query: tensor<?x2x20xf8E4M3FN>,
             %cache: tensor<?x8x20xf8E4M3FN>) {
  // expected-error @+1 {{'mla.append' op (C7) query_scale: expected an operand because query is f8E4M3FN, got none}}
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_nope = %q_nope : tensor<?x2x16xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>,
          latent_scale = %latent_scale : tensor<f32>,
          pe_scale = %pe_scale : tensor<f32>)
      outs(query = %query : tensor<?x2x20xf8E4M3FN>,
           cache = %cache : tensor<?x8x20xf8E4M3FN>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C7: a quantized query is assembled, not rotated in place.
func.func @f(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
             %q_nope: tensor<?x2x16xbf16>, %slots: tensor<?xi64>,
             %cos_sin: tensor<?x4xf32>, %positions: tensor<?xi64>,
             %query_scale: tensor<f32>, %latent_scale: tensor<f32>,
             %pe_scale: tensor<f32>, %query: tensor<?x2x20xf8E4M3FN>,
             %cache: tensor<?x8x20xf8E4M3FN>) {
  // expected-error @+1 {{'mla.append' op (C7) q_pe: expected an operand because query is f8E4M3FN, got none}}
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_nope = %q_nope : tensor<?x2x16xbf16>,
          slots = %slots : tensor<?xi64>, cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>,
          query_scale = %query_scale : tensor<f32>,
          latent_scale = %latent_scale : tensor<f32>,
          pe_scale = %pe_scale : tensor<f32>)
      outs(query = %query : tensor<?x2x20xf8E4M3FN>,
           cache = %cache : tensor<?x8x20xf8E4M3FN>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C7: all of it.
func.func @f(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
             %q_pe: tensor<?x2x4xbf16>, %slots: tensor<?xi64>,
             %cos_sin: tensor<?x4xf32>, %positions: tensor<?xi64>,
             %query_scale: tensor<f32>, %latent_scale: tensor<f32>,
             %pe_scale: tensor<f32>, %query: tensor<?x2x20xf8E4M3FN>,
             %cache: tensor<?x8x20xf8E4M3FN>) {
  // expected-error @+1 {{'mla.append' op (C7) q_nope: expected an operand because query is f8E4M3FN, got none}}
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>,
          query_scale = %query_scale : tensor<f32>,
          latent_scale = %latent_scale : tensor<f32>,
          pe_scale = %pe_scale : tensor<f32>)
      outs(query = %query : tensor<?x2x20xf8E4M3FN>,
           cache = %cache : tensor<?x8x20xf8E4M3FN>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C7: a quantized cache has scales.
func.func @f(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
             %q_nope: tensor<?x2x16xbf16>, %q_pe: tensor<?x2x4xbf16>,
             %slots: tensor<?xi64>, %cos_sin: tensor<?x4xf32>,
             %positions: tensor<?xi64>, %query_scale: tensor<f32>,
             %pe_scale: tensor<f32>, %query: tensor<?x2x20xf8E4M3FN>,
             %cache: tensor<?x8x20xf8E4M3FN>) {
  // expected-error @+1 {{'mla.append' op (C7) latent_scale: expected an operand because cache is f8E4M3FN, got none}}
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_nope = %q_nope : tensor<?x2x16xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>,
          query_scale = %query_scale : tensor<f32>,
          pe_scale = %pe_scale : tensor<f32>)
      outs(query = %query : tensor<?x2x20xf8E4M3FN>,
           cache = %cache : tensor<?x8x20xf8E4M3FN>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C7: two of them.
func.func @f(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
             %q_nope: tensor<?x2x16xbf16>, %q_pe: tensor<?x2x4xbf16>,
             %slots: tensor<?xi64>, %cos_sin: tensor<?x4xf32>,
             %positions: tensor<?xi64>, %query_scale: tensor<f32>,
             %latent_scale: tensor<f32>, %query: tensor<?x2x20xf8E4M3FN>,
             %cache: tensor<?x8x20xf8E4M3FN>) {
  // expected-error @+1 {{'mla.append' op (C7) pe_scale: expected an operand because cache is f8E4M3FN, got none}}
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_nope = %q_nope : tensor<?x2x16xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>,
          query_scale = %query_scale : tensor<f32>,
          latent_scale = %latent_scale : tensor<f32>)
      outs(query = %query : tensor<?x2x20xf8E4M3FN>,
           cache = %cache : tensor<?x8x20xf8E4M3FN>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C7: no scales without quantization.
func.func @f(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
             %q_nope: tensor<?x2x16xbf16>, %q_pe: tensor<?x2x4xbf16>,
             %slots: tensor<?xi64>, %cos_sin: tensor<?x4xf32>,
             %positions: tensor<?xi64>, %query_scale: tensor<f32>,
             %query: tensor<?x2x20xbf16>, %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.append' op (C7) query_scale: expected none because query is not f8E4M3FN, got 'tensor<f32>'}}
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_nope = %q_nope : tensor<?x2x16xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>,
          query_scale = %query_scale : tensor<f32>)
      outs(query = %query : tensor<?x2x20xbf16>,
           cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// C7: no scale of what is absent.
func.func @f(%c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
             %slots: tensor<?xi64>, %cos_sin: tensor<?x4xf32>,
             %positions: tensor<?xi64>, %query_scale: tensor<f32>,
             %latent_scale: tensor<f32>, %pe_scale: tensor<f32>,
             %cache: tensor<?x8x20xf8E4M3FN>) {
  // expected-error @+1 {{'mla.append' op (C7) query_scale: expected none because query is absent, got 'tensor<f32>'}}
  %r = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          slots = %slots : tensor<?xi64>, cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>,
          query_scale = %query_scale : tensor<f32>,
          latent_scale = %latent_scale : tensor<f32>,
          pe_scale = %pe_scale : tensor<f32>)
      outs(cache = %cache : tensor<?x8x20xf8E4M3FN>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// An operand that the operation doesn't have.
func.func @f(%x: tensor<?x4xbf16>) {
  // expected-error @+1 {{expected an operand of mla.append ins (c_kv, k_pe, q_nope, q_pe, slots, cos_sin, positions, cu_q, query_scale, latent_scale, pe_scale), got 'kpe'}}
  mla.append ins(kpe = %x : tensor<?x4xbf16>) outs(k_pe_out = %x : tensor<?x4xbf16>)
  return
}

// -----

// An operand on the wrong side.
func.func @f(%x: tensor<?x4xbf16>) {
  // expected-error @+1 {{expected an operand of mla.append outs (query, k_pe_out, cache), got 'k_pe'}}
  mla.append ins() outs(k_pe = %x : tensor<?x4xbf16>)
  return
}

// -----

// An operand twice.
func.func @f(%x: tensor<?x4xbf16>) {
  // expected-error @+1 {{operand 'k_pe' is given twice}}
  mla.append ins(k_pe = %x : tensor<?x4xbf16>, k_pe = %x : tensor<?x4xbf16>) outs(k_pe_out = %x : tensor<?x4xbf16>)
  return
}

// -----

// An attribute that the operation doesn't have.
func.func @f(%x: tensor<?x4xbf16>) {
  // expected-error @+1 {{mla.append has no attribute 'roep'}}
  mla.append ins(k_pe = %x : tensor<?x4xbf16>) outs(k_pe_out = %x : tensor<?x4xbf16>) {roep = #mla.rope<half, head_dim = 4>}
  return
}

// -----

// C2: one result for each destination that is a tensor.
func.func @f(%x: tensor<?x4xbf16>) {
  // expected-error @+1 {{'mla.append' op (C2) expected 1 results, one for each destination that is a tensor, got 0}}
  "mla.append"(%x, %x) <{operandSegmentSizes = array<i32: 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0>}> : (tensor<?x4xbf16>, tensor<?x4xbf16>) -> ()
  return
}

// -----

// C2: of its type.
func.func @f(%x: tensor<?x4xbf16>) {
  // expected-error @+1 {{'mla.append' op (C2) result #0: expected its destination's type 'tensor<?x4xbf16>', got 'tensor<8x4xbf16>'}}
  %0 = "mla.append"(%x, %x) <{operandSegmentSizes = array<i32: 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0>}> : (tensor<?x4xbf16>, tensor<?x4xbf16>) -> tensor<8x4xbf16>
  return
}
