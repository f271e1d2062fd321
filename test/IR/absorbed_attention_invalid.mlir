// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s -split-input-file -verify-diagnostics

// C1: widths.
func.func @f(%query: tensor<?x2x20xbf16>, %cache: tensor<?x8x16xbf16>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %o: tensor<?x2x16xbf16>,
             %lse: tensor<?x2xf32>) {
  // expected-error @+1 {{'mla.absorbed_attention' op (C1) cache: expected shape [pages,P,L+R] with L = 16, R = 4, got [?, 8, 16]}}
  %r:2 = mla.absorbed_attention
      ins(query = %query : tensor<?x2x20xbf16>,
          cache = %cache : tensor<?x8x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>)
      outs(o = %o : tensor<?x2x16xbf16>, lse = %lse : tensor<?x2xf32>)
      {softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C2: tensors or buffers.
func.func @f(%query: tensor<?x2x20xbf16>, %cache: memref<?x8x20xbf16>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %o: tensor<?x2x16xbf16>,
             %lse: tensor<?x2xf32>) {
  // expected-error @+1 {{'mla.absorbed_attention' op (C2) expected operands to be all tensors or all memrefs, got both}}
  %r:2 = mla.absorbed_attention
      ins(query = %query : tensor<?x2x20xbf16>,
          cache = %cache : memref<?x8x20xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>)
      outs(o = %o : tensor<?x2x16xbf16>, lse = %lse : tensor<?x2xf32>)
      {softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C3: the softmax scale.
func.func @f(%query: tensor<?x2x20xbf16>, %cache: tensor<?x8x20xbf16>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %o: tensor<?x2x16xbf16>,
             %lse: tensor<?x2xf32>) {
  // expected-error @+1 {{'mla.absorbed_attention' op (C3) softmax_scale: expected a finite positive number, got -1}}
  %r:2 = mla.absorbed_attention
      ins(query = %query : tensor<?x2x20xbf16>,
          cache = %cache : tensor<?x8x20xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>)
      outs(o = %o : tensor<?x2x16xbf16>, lse = %lse : tensor<?x2xf32>)
      {softmax_scale = -1.0 : f64}
  return
}

// -----

// C4: a quantized query's scale.
func.func @f(%query: tensor<?x2x20xf8E4M3FN>, %cache: tensor<?x8x20xf8E4M3FN>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %latent_scale: tensor<f32>,
             %pe_scale: tensor<f32>, %o: tensor<?x2x16xbf16>,
             %lse: tensor<?x2xf32>) {
  // expected-error @+1 {{'mla.absorbed_attention' op (C4) query_scale: expected an operand because query is f8E4M3FN, got none}}
  %r:2 = mla.absorbed_attention
      ins(query = %query : tensor<?x2x20xf8E4M3FN>,
          cache = %cache : tensor<?x8x20xf8E4M3FN>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          latent_scale = %latent_scale : tensor<f32>,
          pe_scale = %pe_scale : tensor<f32>)
      outs(o = %o : tensor<?x2x16xbf16>, lse = %lse : tensor<?x2xf32>)
      {softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C4: a quantized cache's scales.
func.func @f(%query: tensor<?x2x20xf8E4M3FN>, %cache: tensor<?x8x20xf8E4M3FN>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %query_scale: tensor<f32>,
             %pe_scale: tensor<f32>, %o: tensor<?x2x16xbf16>,
             %lse: tensor<?x2xf32>) {
  // expected-error @+1 {{'mla.absorbed_attention' op (C4) latent_scale: expected an operand because cache is f8E4M3FN, got none}}
  %r:2 = mla.absorbed_attention
      ins(query = %query : tensor<?x2x20xf8E4M3FN>,
          cache = %cache : tensor<?x8x20xf8E4M3FN>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          query_scale = %query_scale : tensor<f32>,
          pe_scale = %pe_scale : tensor<f32>)
      outs(o = %o : tensor<?x2x16xbf16>, lse = %lse : tensor<?x2xf32>)
      {softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C4: both.
func.func @f(%query: tensor<?x2x20xf8E4M3FN>, %cache: tensor<?x8x20xf8E4M3FN>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %query_scale: tensor<f32>,
             %latent_scale: tensor<f32>, %o: tensor<?x2x16xbf16>,
             %lse: tensor<?x2xf32>) {
  // expected-error @+1 {{'mla.absorbed_attention' op (C4) pe_scale: expected an operand because cache is f8E4M3FN, got none}}
  %r:2 = mla.absorbed_attention
      ins(query = %query : tensor<?x2x20xf8E4M3FN>,
          cache = %cache : tensor<?x8x20xf8E4M3FN>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          query_scale = %query_scale : tensor<f32>,
          latent_scale = %latent_scale : tensor<f32>)
      outs(o = %o : tensor<?x2x16xbf16>, lse = %lse : tensor<?x2xf32>)
      {softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C4: no scales of others.
func.func @f(%query: tensor<?x2x20xbf16>, %cache: tensor<?x8x20xbf16>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %latent_scale: tensor<f32>,
             %o: tensor<?x2x16xbf16>, %lse: tensor<?x2xf32>) {
  // expected-error @+1 {{'mla.absorbed_attention' op (C4) latent_scale: expected none because cache is not f8E4M3FN, got 'tensor<f32>'}}
  %r:2 = mla.absorbed_attention
      ins(query = %query : tensor<?x2x20xbf16>,
          cache = %cache : tensor<?x8x20xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          latent_scale = %latent_scale : tensor<f32>)
      outs(o = %o : tensor<?x2x16xbf16>, lse = %lse : tensor<?x2xf32>)
      {softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C5: one element type.
func.func @f(%query: tensor<?x2x20xbf16>, %cache: tensor<?x8x20xf16>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %o: tensor<?x2x16xbf16>,
             %lse: tensor<?x2xf32>) {
  // expected-error @+1 {{'mla.absorbed_attention' op (C5) cache: expected elements of type 'bf16', got 'f16'}}
  %r:2 = mla.absorbed_attention
      ins(query = %query : tensor<?x2x20xbf16>,
          cache = %cache : tensor<?x8x20xf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>)
      outs(o = %o : tensor<?x2x16xbf16>, lse = %lse : tensor<?x2xf32>)
      {softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C5: the output's type.
func.func @f(%query: tensor<?x2x20xbf16>, %cache: tensor<?x8x20xbf16>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %o: tensor<?x2x16xf16>, %lse: tensor<?x2xf32>) {
  // expected-error @+1 {{'mla.absorbed_attention' op (C5) o: expected elements of type 'bf16' or 'f32', got 'f16'}}
  %r:2 = mla.absorbed_attention
      ins(query = %query : tensor<?x2x20xbf16>,
          cache = %cache : tensor<?x8x20xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>)
      outs(o = %o : tensor<?x2x16xf16>, lse = %lse : tensor<?x2xf32>)
      {softmax_scale = 2.500000e-01 : f64}
  return
}
