// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s -split-input-file -verify-diagnostics

// C1: widths.
func.func @f(%cache: tensor<?x8x20xbf16>, %page_table: tensor<?x?xi32>,
             %kv_lens: tensor<?xi32>, %window_start: index,
             %window_length: index, %c_kv: tensor<?x15xbf16>,
             %k_pe: tensor<?x4xbf16>) {
  // expected-error @+1 {{'mla.gather_kv' op (C1) cache: expected shape [pages,P,L+R] with L = 15, R = 4, got [?, 8, 20]}}
  %r:2 = mla.gather_kv
      ins(cache = %cache : tensor<?x8x20xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>,
          window_start = %window_start : index,
          window_length = %window_length : index)
      outs(c_kv = %c_kv : tensor<?x15xbf16>, k_pe = %k_pe : tensor<?x4xbf16>)
  return
}

// -----

// C2: tensors or buffers.
func.func @f(%cache: memref<?x8x20xbf16>, %page_table: tensor<?x?xi32>,
             %kv_lens: tensor<?xi32>, %window_start: index,
             %window_length: index, %c_kv: tensor<?x16xbf16>,
             %k_pe: tensor<?x4xbf16>) {
  // expected-error @+1 {{'mla.gather_kv' op (C2) expected operands to be all tensors or all memrefs, got both}}
  %r:2 = mla.gather_kv
      ins(cache = %cache : memref<?x8x20xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>,
          window_start = %window_start : index,
          window_length = %window_length : index)
      outs(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>)
  return
}

// -----

// C3: how many rows.
func.func @f(%cache: tensor<?x8x20xbf16>, %page_table: tensor<?x?xi32>,
             %kv_lens: tensor<?xi32>, %window_start: index,
             %c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>) {
  // expected-error @+1 {{'mla.gather_kv' op (C3) window_length: expected an operand that says how many rows, got none}}
  %r:2 = mla.gather_kv
      ins(cache = %cache : tensor<?x8x20xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>,
          window_start = %window_start : index)
      outs(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>)
  return
}

// -----

// C4: k_pe where R > 0.
func.func @f(%cache: tensor<?x8x20xbf16>, %page_table: tensor<?x?xi32>,
             %kv_lens: tensor<?xi32>, %window_start: index,
             %window_length: index, %c_kv: tensor<?x16xbf16>) {
  // expected-error @+1 {{'mla.gather_kv' op (C4) k_pe: expected an operand because R = 4, got none}}
  %r = mla.gather_kv
      ins(cache = %cache : tensor<?x8x20xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>,
          window_start = %window_start : index,
          window_length = %window_length : index)
      outs(c_kv = %c_kv : tensor<?x16xbf16>)
  return
}

// -----

// C5: a quantized cache's scales.
func.func @f(%cache: tensor<?x8x20xf8E4M3FN>, %page_table: tensor<?x?xi32>,
             %kv_lens: tensor<?xi32>, %pe_scale: tensor<f32>,
             %window_length: index, %c_kv: tensor<?x16xbf16>,
             %k_pe: tensor<?x4xbf16>) {
  // expected-error @+1 {{'mla.gather_kv' op (C5) latent_scale: expected an operand because cache is f8E4M3FN, got none}}
  %r:2 = mla.gather_kv
      ins(cache = %cache : tensor<?x8x20xf8E4M3FN>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>,
          pe_scale = %pe_scale : tensor<f32>,
          window_length = %window_length : index)
      outs(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>)
  return
}

// -----

// C5: both.
func.func @f(%cache: tensor<?x8x20xf8E4M3FN>, %page_table: tensor<?x?xi32>,
             %kv_lens: tensor<?xi32>, %latent_scale: tensor<f32>,
             %window_length: index, %c_kv: tensor<?x16xbf16>,
             %k_pe: tensor<?x4xbf16>) {
  // expected-error @+1 {{'mla.gather_kv' op (C5) pe_scale: expected an operand because cache is f8E4M3FN, got none}}
  %r:2 = mla.gather_kv
      ins(cache = %cache : tensor<?x8x20xf8E4M3FN>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>,
          latent_scale = %latent_scale : tensor<f32>,
          window_length = %window_length : index)
      outs(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>)
  return
}

// -----

// C5: no scales of another.
func.func @f(%cache: tensor<?x8x20xbf16>, %page_table: tensor<?x?xi32>,
             %kv_lens: tensor<?xi32>, %window_start: index,
             %window_length: index, %latent_scale: tensor<f32>,
             %c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>) {
  // expected-error @+1 {{'mla.gather_kv' op (C5) latent_scale: expected none because cache is not f8E4M3FN, got 'tensor<f32>'}}
  %r:2 = mla.gather_kv
      ins(cache = %cache : tensor<?x8x20xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>,
          window_start = %window_start : index,
          window_length = %window_length : index,
          latent_scale = %latent_scale : tensor<f32>)
      outs(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>)
  return
}

// -----

// C5: the cache's element type.
func.func @f(%cache: tensor<?x8x20xbf16>, %page_table: tensor<?x?xi32>,
             %kv_lens: tensor<?xi32>, %window_start: index,
             %window_length: index, %c_kv: tensor<?x16xf32>,
             %k_pe: tensor<?x4xbf16>) {
  // expected-error @+1 {{'mla.gather_kv' op (C5) c_kv: expected elements of type 'bf16', got 'f32'}}
  %r:2 = mla.gather_kv
      ins(cache = %cache : tensor<?x8x20xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>,
          window_start = %window_start : index,
          window_length = %window_length : index)
      outs(c_kv = %c_kv : tensor<?x16xf32>, k_pe = %k_pe : tensor<?x4xbf16>)
  return
}
