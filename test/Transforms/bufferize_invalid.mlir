// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A cache's value from before a write, read after it, is an error of the pipeline
// that names the reader.

// RUN: mla-opt %s --mla-bufferize --split-input-file --verify-diagnostics

func.func @old_value(%q: tensor<?x2x4xbf16>, %c_kv: tensor<?x8xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>,
    %query: tensor<?x2x8xbf16>, %o: tensor<?x2x8xbf16>,
    %out: tensor<?x2x4xbf16>, %cache: tensor<?x16x8xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x8xbf16>, tensor<?x2x8xbf16>) {
  // expected-error @+1 {{mla-verify-inplace: expected the cache "cache" of @old_value to be written in place, got a copy of it, because 'mla.absorbed_attention' reads its value from before the write}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x4xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          w_kv_b = %w : tensor<2x8x8xbf16>, page_table = %pages : tensor<?x?xi32>,
          kv_lens = %lens : tensor<?xi32>, cu_q = %cu : tensor<?xi32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x8xbf16>)
      {softmax_scale = 0.5 : f64}
  // expected-note @+1 {{the old value's reader}}
  %old = mla.absorbed_attention
      ins(query = %query : tensor<?x2x8xbf16>, cache = %cache : tensor<?x16x8xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>)
      outs(o = %o : tensor<?x2x8xbf16>) {softmax_scale = 0.5 : f64}
  return %r#0, %r#1, %old : tensor<?x2x4xbf16>, tensor<?x16x8xbf16>, tensor<?x2x8xbf16>
}

// -----

// The second layer's slice is taken from the value before the first one's write.
func.func @slices(%q: tensor<?x2x4xbf16>, %c_kv: tensor<?x8xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>,
    %out: tensor<?x2x4xbf16>, %caches: tensor<2x7x16x8xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<2x7x16x8xbf16>) {
  %s0 = tensor.extract_slice %caches[0, 0, 0, 0] [1, 7, 16, 8] [1, 1, 1, 1]
      : tensor<2x7x16x8xbf16> to tensor<7x16x8xbf16>
  // expected-error @+1 {{mla-verify-inplace: expected the cache "arg7" of @slices to be written in place, got a copy of it, because 'mla.append' reads its value from before the write}}
  %s1 = tensor.extract_slice %caches[1, 0, 0, 0] [1, 7, 16, 8] [1, 1, 1, 1]
      : tensor<2x7x16x8xbf16> to tensor<7x16x8xbf16>
  %r0:2 = mla.attention
      ins(q = %q : tensor<?x2x4xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          w_kv_b = %w : tensor<2x8x8xbf16>, page_table = %pages : tensor<?x?xi32>,
          kv_lens = %lens : tensor<?xi32>, cu_q = %cu : tensor<?xi32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %s0 : tensor<7x16x8xbf16>)
      {softmax_scale = 0.5 : f64}
  %i0 = tensor.insert_slice %r0#1 into %caches[0, 0, 0, 0] [1, 7, 16, 8] [1, 1, 1, 1]
      : tensor<7x16x8xbf16> into tensor<2x7x16x8xbf16>
  // expected-note @+1 {{the old value's reader}}
  %r1:2 = mla.attention
      ins(q = %q : tensor<?x2x4xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          w_kv_b = %w : tensor<2x8x8xbf16>, page_table = %pages : tensor<?x?xi32>,
          kv_lens = %lens : tensor<?xi32>, cu_q = %cu : tensor<?xi32>)
      outs(out = %r0#0 : tensor<?x2x4xbf16>, cache = %s1 : tensor<7x16x8xbf16>)
      {softmax_scale = 0.5 : f64}
  %i1 = tensor.insert_slice %r1#1 into %i0[1, 0, 0, 0] [1, 7, 16, 8] [1, 1, 1, 1]
      : tensor<7x16x8xbf16> into tensor<2x7x16x8xbf16>
  return %r1#0, %i1 : tensor<?x2x4xbf16>, tensor<2x7x16x8xbf16>
}

// -----

// An input may not be written, so what was asked to be in it is not.
func.func @read_only(%q: tensor<?x2x4xbf16>, %c_kv: tensor<?x8xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>,
    %out: tensor<?x2x4xbf16>, %cache: tensor<?x16x8xbf16> {mla.role = "input"})
    -> tensor<?x2x4xbf16> {
  // expected-error @+1 {{expected the cache "cache" of @read_only to be written in place, got a copy of it, because it isn't writable}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x4xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          w_kv_b = %w : tensor<2x8x8xbf16>, page_table = %pages : tensor<?x?xi32>,
          kv_lens = %lens : tensor<?xi32>, cu_q = %cu : tensor<?xi32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x8xbf16>)
      {softmax_scale = 0.5 : f64}
  return %r#0 : tensor<?x2x4xbf16>
}
