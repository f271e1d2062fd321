// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s -split-input-file -verify-diagnostics

// C1: the width of a row of elements is not that of a row of bytes.
func.func @f(%c_kv: tensor<?x512xbf16>, %k_pe: tensor<?x64xbf16>,
             %slots: tensor<?xi64>, %cache: tensor<?x64x576xi8>) {
  // expected-error @+1 {{'mla.append' op (C1) cache: expected rows of L + 4 L/128 + 2 R = 656 bytes with L = 512, R = 64, got 576}}
  %r = mla.append
      ins(c_kv = %c_kv : tensor<?x512xbf16>, k_pe = %k_pe : tensor<?x64xbf16>,
          slots = %slots : tensor<?xi64>)
      outs(cache = %cache : tensor<?x64x576xi8>)
  return
}

// -----

// C1: a key that is missing is missing in the rows.
func.func @f(%cache: tensor<?x64x656xi8>, %pages: tensor<?x?xi32>,
             %lens: tensor<?xi32>, %length: index, %c_kv: tensor<?x512xbf16>) {
  // expected-error @+1 {{'mla.gather_kv' op (C1) cache: expected rows of L + 4 L/128 + 2 R = 528 bytes with L = 512, R = 0, got 656}}
  %r = mla.gather_kv
      ins(cache = %cache : tensor<?x64x656xi8>, page_table = %pages : tensor<?x?xi32>,
          kv_lens = %lens : tensor<?xi32>, window_length = %length : index)
      outs(c_kv = %c_kv : tensor<?x512xbf16>)
  return
}

// -----

// C1: whole blocks.
func.func @f(%c_kv: tensor<?x192xbf16>, %slots: tensor<?xi64>,
             %cache: tensor<?x64x198xi8>) {
  // expected-error @+1 {{'mla.append' op (C1) cache: expected L to be a multiple of 128 because its elements are i8, got L = 192}}
  %r = mla.append
      ins(c_kv = %c_kv : tensor<?x192xbf16>, slots = %slots : tensor<?xi64>)
      outs(cache = %cache : tensor<?x64x198xi8>)
  return
}

// -----

// C1: the width is static.
func.func @f(%c_kv: tensor<?x128xbf16>, %slots: tensor<?xi64>,
             %cache: tensor<?x64x?xi8>) {
  // expected-error @+1 {{'mla.append' op (C1) cache: expected L+R to be static in shape [pages,P,L+R], got [?, 64, ?]}}
  %r = mla.append
      ins(c_kv = %c_kv : tensor<?x128xbf16>, slots = %slots : tensor<?xi64>)
      outs(cache = %cache : tensor<?x64x?xi8>)
  return
}

// -----

// C1: bytes of a row side by side.
func.func @f(%c_kv: memref<?x128xbf16>, %slots: memref<?xi64>,
             %cache: memref<?x8x132xi8, strided<[?, 264, 2], offset: ?>>) {
  // expected-error @+1 {{'mla.append' op (C1) cache: expected the bytes of a row side by side, got 'memref<?x8x132xi8, strided<[?, 264, 2], offset: ?>>'}}
  mla.append
      ins(c_kv = %c_kv : memref<?x128xbf16>, slots = %slots : memref<?xi64>)
      outs(cache = %cache : memref<?x8x132xi8, strided<[?, 264, 2], offset: ?>>)
  return
}

// -----

// C1: rows where f32 can be.
func.func @f(%c_kv: memref<?x128xbf16>, %slots: memref<?xi64>,
             %cache: memref<?x8x132xi8, strided<[?, 134, 1], offset: ?>>) {
  // expected-error @+1 {{'mla.append' op (C1) cache: expected rows that start at multiples of 4 bytes, got 'memref<?x8x132xi8, strided<[?, 134, 1], offset: ?>>'}}
  mla.append
      ins(c_kv = %c_kv : memref<?x128xbf16>, slots = %slots : memref<?xi64>)
      outs(cache = %cache : memref<?x8x132xi8, strided<[?, 134, 1], offset: ?>>)
  return
}

// -----

// C1: pages too, and the first of them.
func.func @f(%c_kv: memref<?x128xbf16>, %slots: memref<?xi64>,
             %cache: memref<?x8x132xi8, strided<[?, 132, 1], offset: 6>>) {
  // expected-error @+1 {{'mla.append' op (C1) cache: expected rows that start at multiples of 4 bytes, got 'memref<?x8x132xi8, strided<[?, 132, 1], offset: 6>>'}}
  mla.append
      ins(c_kv = %c_kv : memref<?x128xbf16>, slots = %slots : memref<?xi64>)
      outs(cache = %cache : memref<?x8x132xi8, strided<[?, 132, 1], offset: 6>>)
  return
}

// -----

// The scales are in the rows: append C7.
func.func @f(%c_kv: tensor<?x128xbf16>, %slots: tensor<?xi64>,
             %scale: tensor<f32>, %cache: tensor<?x8x132xi8>) {
  // expected-error @+1 {{'mla.append' op (C7) latent_scale: expected none because the rows of an i8 cache have their scales, got 'tensor<f32>'}}
  %r = mla.append
      ins(c_kv = %c_kv : tensor<?x128xbf16>, slots = %slots : tensor<?xi64>,
          latent_scale = %scale : tensor<f32>)
      outs(cache = %cache : tensor<?x8x132xi8>)
  return
}

// -----

// The same: absorbed_attention C4.
func.func @f(%query: tensor<?x2x132xf16>, %cache: tensor<?x8x140xi8>,
             %pages: tensor<?x?xi32>, %lens: tensor<?xi32>, %cu: tensor<?xi32>,
             %scale: tensor<f32>, %o: tensor<?x2x128xf16>) {
  // expected-error @+1 {{'mla.absorbed_attention' op (C4) pe_scale: expected none because the rows of an i8 cache have their scales, got 'tensor<f32>'}}
  %r = mla.absorbed_attention
      ins(query = %query : tensor<?x2x132xf16>, cache = %cache : tensor<?x8x140xi8>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>, pe_scale = %scale : tensor<f32>)
      outs(o = %o : tensor<?x2x128xf16>) {softmax_scale = 1.0 : f64}
  return
}

// -----

// The same: gather_kv C5.
func.func @f(%cache: tensor<?x8x132xi8>, %pages: tensor<?x?xi32>,
             %lens: tensor<?xi32>, %length: index, %scale: tensor<f32>,
             %c_kv: tensor<?x128xbf16>) {
  // expected-error @+1 {{'mla.gather_kv' op (C5) latent_scale: expected none because the rows of an i8 cache have their scales, got 'tensor<f32>'}}
  %r = mla.gather_kv
      ins(cache = %cache : tensor<?x8x132xi8>, page_table = %pages : tensor<?x?xi32>,
          kv_lens = %lens : tensor<?xi32>, latent_scale = %scale : tensor<f32>,
          window_length = %length : index)
      outs(c_kv = %c_kv : tensor<?x128xbf16>)
  return
}

// -----

// The query is not quantized: absorbed_attention C4.
func.func @f(%query: tensor<?x2x132xf8E4M3FN>, %cache: tensor<?x8x140xi8>,
             %pages: tensor<?x?xi32>, %lens: tensor<?xi32>, %cu: tensor<?xi32>,
             %scale: tensor<f32>, %o: tensor<?x2x128xf16>) {
  // expected-error @+1 {{'mla.absorbed_attention' op (C4) query: expected no f8E4M3FN elements because the cache is i8, got 'tensor<?x2x132xf8E4M3FN>'}}
  %r = mla.absorbed_attention
      ins(query = %query : tensor<?x2x132xf8E4M3FN>,
          cache = %cache : tensor<?x8x140xi8>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>, query_scale = %scale : tensor<f32>)
      outs(o = %o : tensor<?x2x128xf16>) {softmax_scale = 1.0 : f64}
  return
}

// -----

// The same: append C7.
func.func @f(%c_kv: tensor<?x128xbf16>, %q: tensor<?x2x128xbf16>,
             %slots: tensor<?xi64>, %scale: tensor<f32>,
             %query: tensor<?x2x128xf8E4M3FN>, %cache: tensor<?x8x132xi8>) {
  // expected-error @+1 {{'mla.append' op (C7) query: expected no f8E4M3FN elements because the cache is i8, got 'tensor<?x2x128xf8E4M3FN>'}}
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x128xbf16>, q_nope = %q : tensor<?x2x128xbf16>,
          slots = %slots : tensor<?xi64>, query_scale = %scale : tensor<f32>)
      outs(query = %query : tensor<?x2x128xf8E4M3FN>,
           cache = %cache : tensor<?x8x132xi8>)
  return
}

// -----

// The same: attention C6, which says it of the scale.
func.func @f(%q: tensor<?x2x8xbf16>, %c_kv: tensor<?x128xbf16>,
             %w: tensor<2x16x128xbf16>, %pages: tensor<?x?xi32>,
             %lens: tensor<?xi32>, %cu: tensor<?xi32>, %scale: tensor<f32>,
             %out: tensor<?x2x8xbf16>, %cache: tensor<?x8x132xi8>) {
  // expected-error @+1 {{'mla.attention' op (C6) query_scale: expected none because cache is not f8E4M3FN, got 'tensor<f32>'}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x8xbf16>, c_kv = %c_kv : tensor<?x128xbf16>,
          w_kv_b = %w : tensor<2x16x128xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>, query_scale = %scale : tensor<f32>)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x8x132xi8>)
      {softmax_scale = 1.0 : f64}
  return
}

// -----

// Bytes are a cache's alone.
func.func @f(%x: tensor<?x8xi8>, %y: tensor<?x8xi8>) {
  // expected-error @+1 {{'mla.rope' op operand #0 must be tensor or memref of f32, f16 or bf16}}
  %r = mla.rope ins(x = %x : tensor<?x8xi8>) outs(y = %y : tensor<?x8xi8>)
  return
}
