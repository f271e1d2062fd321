// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-decompose=form=expanded --verify-diagnostics


func.func @fp8_query(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<?x?xi32>,
    %kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>, %cos_sin: tensor<?x2xf32>,
    %query_scale: tensor<f32>, %latent_scale: tensor<f32>, %pe_scale: tensor<f32>,
    %out: tensor<?x2x4xbf16>, %cache: tensor<?x16x10xf8E4M3FN>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xf8E4M3FN>) {
  // expected-error@+1 {{'mla.attention' op mla-decompose: form=expanded: expected no query_scale, because a quantized query exists only in the absorbed form}}
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>,
          query_scale = %query_scale : tensor<f32>,
          latent_scale = %latent_scale : tensor<f32>,
          pe_scale = %pe_scale : tensor<f32>)
      outs(out = %out : tensor<?x2x4xbf16>,
          cache = %cache : tensor<?x16x10xf8E4M3FN>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xf8E4M3FN>
}
