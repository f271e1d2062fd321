// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s -split-input-file -verify-diagnostics

// C1: widths.
func.func @f(%q: tensor<?x2x12xbf16>, %k_nope: tensor<?x2x8xbf16>,
             %k_pe: tensor<?x4xbf16>, %v: tensor<?x2x7xbf16>,
             %cu_q: tensor<?xi32>, %cu_k: tensor<?xi32>, %o: tensor<?x2x6xbf16>,
             %lse: tensor<?x2xf32>) {
  // expected-error @+1 {{'mla.expanded_attention' op (C1) o: expected shape [T,H,V] with V = 7, got [?, 2, 6]}}
  %r:2 = mla.expanded_attention
      ins(q = %q : tensor<?x2x12xbf16>, k_nope = %k_nope : tensor<?x2x8xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>, v = %v : tensor<?x2x7xbf16>,
          cu_q = %cu_q : tensor<?xi32>, cu_k = %cu_k : tensor<?xi32>)
      outs(o = %o : tensor<?x2x6xbf16>, lse = %lse : tensor<?x2xf32>)
      {softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C2: tensors or buffers.
func.func @f(%q: tensor<?x2x12xbf16>, %k_nope: tensor<?x2x8xbf16>,
             %k_pe: tensor<?x4xbf16>, %v: memref<?x2x6xbf16>,
             %cu_q: tensor<?xi32>, %cu_k: tensor<?xi32>, %o: tensor<?x2x6xbf16>,
             %lse: tensor<?x2xf32>) {
  // expected-error @+1 {{'mla.expanded_attention' op (C2) expected operands to be all tensors or all memrefs, got both}}
  %r:2 = mla.expanded_attention
      ins(q = %q : tensor<?x2x12xbf16>, k_nope = %k_nope : tensor<?x2x8xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>, v = %v : memref<?x2x6xbf16>,
          cu_q = %cu_q : tensor<?xi32>, cu_k = %cu_k : tensor<?xi32>)
      outs(o = %o : tensor<?x2x6xbf16>, lse = %lse : tensor<?x2xf32>)
      {softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C3: the softmax scale.
func.func @f(%q: tensor<?x2x12xbf16>, %k_nope: tensor<?x2x8xbf16>,
             %k_pe: tensor<?x4xbf16>, %v: tensor<?x2x6xbf16>,
             %cu_q: tensor<?xi32>, %cu_k: tensor<?xi32>, %o: tensor<?x2x6xbf16>,
             %lse: tensor<?x2xf32>) {
  // expected-error @+1 {{'mla.expanded_attention' op (C3) softmax_scale: expected a finite positive number, got +Inf}}
  %r:2 = mla.expanded_attention
      ins(q = %q : tensor<?x2x12xbf16>, k_nope = %k_nope : tensor<?x2x8xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>, v = %v : tensor<?x2x6xbf16>,
          cu_q = %cu_q : tensor<?xi32>, cu_k = %cu_k : tensor<?xi32>)
      outs(o = %o : tensor<?x2x6xbf16>, lse = %lse : tensor<?x2xf32>)
      {softmax_scale = 0x7FF0000000000000 : f64}
  return
}

// -----

// C4: keys are somewhere.
func.func @f(%q: tensor<?x2x12xbf16>, %k_nope: tensor<?x2x8xbf16>,
             %k_pe: tensor<?x4xbf16>, %v: tensor<?x2x6xbf16>,
             %cu_q: tensor<?xi32>, %o: tensor<?x2x6xbf16>, %lse: tensor<?x2xf32>) {
  // expected-error @+1 {{'mla.expanded_attention' op (C4) kv_lens: expected an operand without cu_k, got none}}
  %r:2 = mla.expanded_attention
      ins(q = %q : tensor<?x2x12xbf16>, k_nope = %k_nope : tensor<?x2x8xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>, v = %v : tensor<?x2x6xbf16>,
          cu_q = %cu_q : tensor<?xi32>)
      outs(o = %o : tensor<?x2x6xbf16>, lse = %lse : tensor<?x2xf32>)
      {softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C4: a window has a length.
func.func @f(%q: tensor<?x2x12xbf16>, %k_nope: tensor<?x2x8xbf16>,
             %k_pe: tensor<?x4xbf16>, %v: tensor<?x2x6xbf16>,
             %cu_q: tensor<?xi32>, %kv_lens: tensor<?xi32>,
             %window_start: index, %o: tensor<?x2x6xbf16>, %lse: tensor<?x2xf32>) {
  // expected-error @+1 {{'mla.expanded_attention' op (C4) window_length: expected an operand without cu_k, got none}}
  %r:2 = mla.expanded_attention
      ins(q = %q : tensor<?x2x12xbf16>, k_nope = %k_nope : tensor<?x2x8xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>, v = %v : tensor<?x2x6xbf16>,
          cu_q = %cu_q : tensor<?xi32>, kv_lens = %kv_lens : tensor<?xi32>,
          window_start = %window_start : index)
      outs(o = %o : tensor<?x2x6xbf16>, lse = %lse : tensor<?x2xf32>)
      {softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C4: and no row offsets.
func.func @f(%q: tensor<?x2x12xbf16>, %k_nope: tensor<?x2x8xbf16>,
             %k_pe: tensor<?x4xbf16>, %v: tensor<?x2x6xbf16>,
             %cu_q: tensor<?xi32>, %kv_lens: tensor<?xi32>,
             %window_start: index, %window_length: index, %cu_k: tensor<?xi32>,
             %o: tensor<?x2x6xbf16>, %lse: tensor<?x2xf32>) {
  // expected-error @+1 {{'mla.expanded_attention' op (C4) kv_lens: expected none beside cu_k, got 'tensor<?xi32>'}}
  %r:2 = mla.expanded_attention
      ins(q = %q : tensor<?x2x12xbf16>, k_nope = %k_nope : tensor<?x2x8xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>, v = %v : tensor<?x2x6xbf16>,
          cu_q = %cu_q : tensor<?xi32>, kv_lens = %kv_lens : tensor<?xi32>,
          window_start = %window_start : index,
          window_length = %window_length : index, cu_k = %cu_k : tensor<?xi32>)
      outs(o = %o : tensor<?x2x6xbf16>, lse = %lse : tensor<?x2xf32>)
      {softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C5: k_pe where R > 0.
func.func @f(%q: tensor<?x2x12xbf16>, %k_nope: tensor<?x2x8xbf16>,
             %v: tensor<?x2x6xbf16>, %cu_q: tensor<?xi32>, %cu_k: tensor<?xi32>,
             %o: tensor<?x2x6xbf16>, %lse: tensor<?x2xf32>) {
  // expected-error @+1 {{'mla.expanded_attention' op (C5) k_pe: expected an operand because R = 4, got none}}
  %r:2 = mla.expanded_attention
      ins(q = %q : tensor<?x2x12xbf16>, k_nope = %k_nope : tensor<?x2x8xbf16>,
          v = %v : tensor<?x2x6xbf16>, cu_q = %cu_q : tensor<?xi32>,
          cu_k = %cu_k : tensor<?xi32>)
      outs(o = %o : tensor<?x2x6xbf16>, lse = %lse : tensor<?x2xf32>)
      {softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C6: one element type.
func.func @f(%q: tensor<?x2x12xbf16>, %k_nope: tensor<?x2x8xbf16>,
             %k_pe: tensor<?x4xbf16>, %v: tensor<?x2x6xf32>,
             %cu_q: tensor<?xi32>, %cu_k: tensor<?xi32>, %o: tensor<?x2x6xbf16>,
             %lse: tensor<?x2xf32>) {
  // expected-error @+1 {{'mla.expanded_attention' op (C6) v: expected elements of type 'bf16', got 'f32'}}
  %r:2 = mla.expanded_attention
      ins(q = %q : tensor<?x2x12xbf16>, k_nope = %k_nope : tensor<?x2x8xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>, v = %v : tensor<?x2x6xf32>,
          cu_q = %cu_q : tensor<?xi32>, cu_k = %cu_k : tensor<?xi32>)
      outs(o = %o : tensor<?x2x6xbf16>, lse = %lse : tensor<?x2xf32>)
      {softmax_scale = 2.500000e-01 : f64}
  return
}

// -----

// C6: the output's type.
func.func @f(%q: tensor<?x2x12xbf16>, %k_nope: tensor<?x2x8xbf16>,
             %k_pe: tensor<?x4xbf16>, %v: tensor<?x2x6xbf16>,
             %cu_q: tensor<?xi32>, %cu_k: tensor<?xi32>, %o: tensor<?x2x6xf16>,
             %lse: tensor<?x2xf32>) {
  // expected-error @+1 {{'mla.expanded_attention' op (C6) o: expected elements of type 'bf16' or 'f32', got 'f16'}}
  %r:2 = mla.expanded_attention
      ins(q = %q : tensor<?x2x12xbf16>, k_nope = %k_nope : tensor<?x2x8xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>, v = %v : tensor<?x2x6xbf16>,
          cu_q = %cu_q : tensor<?xi32>, cu_k = %cu_k : tensor<?xi32>)
      outs(o = %o : tensor<?x2x6xf16>, lse = %lse : tensor<?x2xf32>)
      {softmax_scale = 2.500000e-01 : f64}
  return
}
