// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s -split-input-file -verify-diagnostics

// C1: a symbol has one size.
func.func @f(%q: tensor<?x2x12xbf16>, %c_kv: tensor<?x15xbf16>,
             %k_pe: tensor<?x4xbf16>, %w_kv_b: tensor<2x16x16xbf16>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %cos_sin: tensor<?x4xf32>,
             %out: tensor<?x2x8xbf16>, %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.attention' op (C1) w_kv_b: expected shape [H,N+V,L] with L = 15, got [2, 16, 16]}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x15xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x4xf32>)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>, softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C1: ranks.
func.func @f(%q: tensor<?x2x12xbf16>, %c_kv: tensor<?x16xbf16>,
             %k_pe: tensor<?x4xbf16>, %w_kv_b: tensor<2x16x16xbf16>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?x?xi32>,
             %cu_q: tensor<?xi32>, %cos_sin: tensor<?x4xf32>,
             %out: tensor<?x2x8xbf16>, %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.attention' op (C1) kv_lens: expected shape [B], got [?, ?]}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?x?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x4xf32>)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>, softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C1: widths are static.
func.func @f(%q: tensor<?x2x12xbf16>, %c_kv: tensor<?x16xbf16>,
             %k_pe: tensor<?x4xbf16>, %w_kv_b: tensor<2x16x16xbf16>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %cos_sin: tensor<?x4xf32>,
             %out: tensor<?x2x8xbf16>, %cache: tensor<?x?x20xbf16>) {
  // expected-error @+1 {{'mla.attention' op (C1) cache: expected P to be static in shape [pages,P,L+R], got [?, ?, 20]}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x4xf32>)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x?x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>, softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C2: tensors or buffers.
func.func @f(%q: tensor<?x2x12xbf16>, %c_kv: tensor<?x16xbf16>,
             %k_pe: tensor<?x4xbf16>, %w_kv_b: tensor<2x16x16xbf16>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: memref<?xi32>, %cos_sin: tensor<?x4xf32>,
             %out: tensor<?x2x8xbf16>, %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.attention' op (C2) expected operands to be all tensors or all memrefs, got both}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : memref<?xi32>,
          cos_sin = %cos_sin : tensor<?x4xf32>)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>, softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C3: k_pe where R > 0.
func.func @f(%q: tensor<?x2x12xbf16>, %c_kv: tensor<?x16xbf16>,
             %w_kv_b: tensor<2x16x16xbf16>, %page_table: tensor<?x?xi32>,
             %kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
             %cos_sin: tensor<?x4xf32>, %out: tensor<?x2x8xbf16>,
             %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.attention' op (C3) k_pe: expected an operand because R = 4, got none}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x4xf32>)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>, softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C4: the width of a live rope.
func.func @f(%q: tensor<?x2x12xbf16>, %c_kv: tensor<?x16xbf16>,
             %k_pe: tensor<?x4xbf16>, %w_kv_b: tensor<2x16x16xbf16>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %cos_sin: tensor<?x4xf32>,
             %out: tensor<?x2x8xbf16>, %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.attention' op (C4) rope: expected head_dim = R = 4, got 8}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x4xf32>)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 8>, softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C4: the table of a live rope.
func.func @f(%q: tensor<?x2x12xbf16>, %c_kv: tensor<?x16xbf16>,
             %k_pe: tensor<?x4xbf16>, %w_kv_b: tensor<2x16x16xbf16>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %out: tensor<?x2x8xbf16>,
             %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.attention' op (C4) cos_sin: expected an operand because the rope is live, got none}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>, softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C5: one element type.
func.func @f(%q: tensor<?x2x12xbf16>, %c_kv: tensor<?x16xbf16>,
             %k_pe: tensor<?x4xbf16>, %w_kv_b: tensor<2x16x16xf16>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %cos_sin: tensor<?x4xf32>,
             %out: tensor<?x2x8xbf16>, %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.attention' op (C5) w_kv_b: expected elements of type 'bf16', got 'f16'}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x4xf32>)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>, softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C5: the cache's element type.
func.func @f(%q: tensor<?x2x12xbf16>, %c_kv: tensor<?x16xbf16>,
             %k_pe: tensor<?x4xbf16>, %w_kv_b: tensor<2x16x16xbf16>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %cos_sin: tensor<?x4xf32>,
             %out: tensor<?x2x8xbf16>, %cache: tensor<?x8x20xf32>) {
  // expected-error @+1 {{'mla.attention' op (C5) cache: expected elements of type 'bf16' or 'f8E4M3FN' or 'i8', got 'f32'}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x4xf32>)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x8x20xf32>)
      {rope = #mla.rope<interleaved, head_dim = 4>, softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C6: scales of a quantized cache.
func.func @f(%q: tensor<?x2x12xbf16>, %c_kv: tensor<?x16xbf16>,
             %k_pe: tensor<?x4xbf16>, %w_kv_b: tensor<2x16x16xbf16>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %cos_sin: tensor<?x4xf32>,
             %pe_scale: tensor<f32>, %out: tensor<?x2x8xbf16>,
             %cache: tensor<?x8x20xf8E4M3FN>) {
  // expected-error @+1 {{'mla.attention' op (C6) latent_scale: expected an operand because cache is f8E4M3FN, got none}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          pe_scale = %pe_scale : tensor<f32>)
      outs(out = %out : tensor<?x2x8xbf16>,
           cache = %cache : tensor<?x8x20xf8E4M3FN>)
      {rope = #mla.rope<interleaved, head_dim = 4>, softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C6: of both parts.
func.func @f(%q: tensor<?x2x12xbf16>, %c_kv: tensor<?x16xbf16>,
             %k_pe: tensor<?x4xbf16>, %w_kv_b: tensor<2x16x16xbf16>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %cos_sin: tensor<?x4xf32>,
             %latent_scale: tensor<f32>, %out: tensor<?x2x8xbf16>,
             %cache: tensor<?x8x20xf8E4M3FN>) {
  // expected-error @+1 {{'mla.attention' op (C6) pe_scale: expected an operand because cache is f8E4M3FN, got none}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          latent_scale = %latent_scale : tensor<f32>)
      outs(out = %out : tensor<?x2x8xbf16>,
           cache = %cache : tensor<?x8x20xf8E4M3FN>)
      {rope = #mla.rope<interleaved, head_dim = 4>, softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C6: no scales of another cache.
func.func @f(%q: tensor<?x2x12xbf16>, %c_kv: tensor<?x16xbf16>,
             %k_pe: tensor<?x4xbf16>, %w_kv_b: tensor<2x16x16xbf16>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %cos_sin: tensor<?x4xf32>,
             %pe_scale: tensor<f32>, %out: tensor<?x2x8xbf16>,
             %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.attention' op (C6) pe_scale: expected none because cache is not f8E4M3FN, got 'tensor<f32>'}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          pe_scale = %pe_scale : tensor<f32>)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>, softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C6: a quantized query needs a quantized cache.
func.func @f(%q: tensor<?x2x12xbf16>, %c_kv: tensor<?x16xbf16>,
             %k_pe: tensor<?x4xbf16>, %w_kv_b: tensor<2x16x16xbf16>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %cos_sin: tensor<?x4xf32>,
             %query_scale: tensor<f32>, %out: tensor<?x2x8xbf16>,
             %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.attention' op (C6) query_scale: expected none because cache is not f8E4M3FN, got 'tensor<f32>'}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          query_scale = %query_scale : tensor<f32>)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>, softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C6: no scale of a part that is absent.
func.func @f(%q: tensor<?x2x8xbf16>, %c_kv: tensor<?x16xbf16>,
             %w_kv_b: tensor<2x16x16xbf16>, %page_table: tensor<?x?xi32>,
             %kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
             %latent_scale: tensor<f32>, %pe_scale: tensor<f32>,
             %out: tensor<?x2x8xbf16>, %cache: tensor<?x8x16xf8E4M3FN>) {
  // expected-error @+1 {{'mla.attention' op (C6) pe_scale: expected none because R = 0, got 'tensor<f32>'}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x8xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          latent_scale = %latent_scale : tensor<f32>,
          pe_scale = %pe_scale : tensor<f32>)
      outs(out = %out : tensor<?x2x8xbf16>,
           cache = %cache : tensor<?x8x16xf8E4M3FN>)
      {softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C7: the softmax scale.
func.func @f(%q: tensor<?x2x12xbf16>, %c_kv: tensor<?x16xbf16>,
             %k_pe: tensor<?x4xbf16>, %w_kv_b: tensor<2x16x16xbf16>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %cos_sin: tensor<?x4xf32>,
             %out: tensor<?x2x8xbf16>, %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.attention' op (C7) softmax_scale: expected a finite positive number, got 0}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x4xf32>)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>, softmax_scale = 0.0 : f64}
  return
}

// -----

// C7: not a number.
func.func @f(%q: tensor<?x2x12xbf16>, %c_kv: tensor<?x16xbf16>,
             %k_pe: tensor<?x4xbf16>, %w_kv_b: tensor<2x16x16xbf16>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %cos_sin: tensor<?x4xf32>,
             %out: tensor<?x2x8xbf16>, %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.attention' op (C7) softmax_scale: expected a finite positive number, got NaN}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x4xf32>)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>, softmax_scale = 0x7FF8000000000000 : f64}
  return
}

// -----

// C8: hints that come together.
func.func @f(%q: tensor<?x2x12xbf16>, %c_kv: tensor<?x16xbf16>,
             %k_pe: tensor<?x4xbf16>, %w_kv_b: tensor<2x16x16xbf16>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %cos_sin: tensor<?x4xf32>,
             %num_generation_seqs: index, %out: tensor<?x2x8xbf16>,
             %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.attention' op (C8) num_generation_tokens: expected an operand beside num_generation_seqs, got none}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          num_generation_seqs = %num_generation_seqs : index)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>, softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C8: the other one.
func.func @f(%q: tensor<?x2x12xbf16>, %c_kv: tensor<?x16xbf16>,
             %k_pe: tensor<?x4xbf16>, %w_kv_b: tensor<2x16x16xbf16>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %cos_sin: tensor<?x4xf32>,
             %num_generation_tokens: index, %out: tensor<?x2x8xbf16>,
             %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.attention' op (C8) num_generation_tokens: expected none without num_generation_seqs, got 'index'}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x4xf32>,
          num_generation_tokens = %num_generation_tokens : index)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>, softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// A required attribute.
func.func @f(%q: tensor<?x2x12xbf16>, %c_kv: tensor<?x16xbf16>,
             %k_pe: tensor<?x4xbf16>, %w_kv_b: tensor<2x16x16xbf16>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %cos_sin: tensor<?x4xf32>,
             %out: tensor<?x2x8xbf16>, %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.attention' op requires attribute 'softmax_scale'}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x4xf32>)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}

// -----

// An element type that no kernel has.
func.func @f(%q: tensor<?x2x12xf64>, %c_kv: tensor<?x16xbf16>,
             %k_pe: tensor<?x4xbf16>, %w_kv_b: tensor<2x16x16xbf16>,
             %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
             %cu_q: tensor<?xi32>, %cos_sin: tensor<?x4xf32>,
             %out: tensor<?x2x8xbf16>, %cache: tensor<?x8x20xbf16>) {
  // expected-error @+1 {{'mla.attention' op operand #0 must be tensor or memref of f32, f16 or bf16}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xf64>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>,
          w_kv_b = %w_kv_b : tensor<2x16x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x4xf32>)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>, softmax_scale = 2.500000e-01 : f64}
  return
}
