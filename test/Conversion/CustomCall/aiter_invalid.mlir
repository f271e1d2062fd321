// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What aiter's operator does and mla doesn't: such calls stay, and say why.

// RUN: mla-opt %s --allow-unregistered-dialect -split-input-file --convert-custom-call-to-mla -verify-diagnostics -o %t.after
// RUN: mla-opt %s --allow-unregistered-dialect -split-input-file -o %t.before
// RUN: diff %t.before %t.after

// Rows of another layout.
func.func @pe_first(
    %qn: tensor<8x16x512xbf16>, %qp: tensor<8x16x64xbf16>,
    %c: tensor<8x512xbf16>, %k: tensor<8x64xbf16>, %cache: tensor<?x1x576xbf16>,
    %q: tensor<8x16x576xbf16>, %slots: tensor<8xi64>, %ks: tensor<1xf32>,
    %qs: tensor<f32>, %p: tensor<8xi64>, %cos: tensor<?x32xf32>,
    %sin: tensor<?x32xf32>)
    -> (tensor<?x1x576xbf16>, tensor<8x16x576xbf16>) {
  // expected-remark @+1 {{'fused_qk_rope_concat_and_cache_mla' stays: is_nope_first: expected true, since rows here are [latent | pe], got false}}
  %r:2 = "stablehlo.custom_call"(
      %qn, %qp, %c, %k, %cache, %q, %slots, %ks, %qs, %p, %cos, %sin)
      {call_target_name = "fused_qk_rope_concat_and_cache_mla",
       backend_config = {is_neox = false, is_nope_first = false}}
      : (tensor<8x16x512xbf16>, tensor<8x16x64xbf16>, tensor<8x512xbf16>,
         tensor<8x64xbf16>, tensor<?x1x576xbf16>, tensor<8x16x576xbf16>,
         tensor<8xi64>, tensor<1xf32>, tensor<f32>, tensor<8xi64>, tensor<?x32xf32>,
         tensor<?x32xf32>)
      -> (tensor<?x1x576xbf16>, tensor<8x16x576xbf16>)
  return %r#0, %r#1 : tensor<?x1x576xbf16>, tensor<8x16x576xbf16>
}

// -----

// A query that the callee doesn't scale.
// expected-note @+4 {{its value is from here}}
func.func @query_alone(
    %qn: tensor<8x16x512xbf16>, %qp: tensor<8x16x64xbf16>,
    %c: tensor<8x512xbf16>, %k: tensor<8x64xbf16>, %cache: tensor<?x1x576xbf16>,
    %q: tensor<8x16x576xf8E4M3FN>, %slots: tensor<8xi64>, %ks: tensor<1xf32>,
    %qs: tensor<f32>, %p: tensor<8xi64>, %cos: tensor<?x32xf32>,
    %sin: tensor<?x32xf32>)
    -> (tensor<?x1x576xbf16>, tensor<8x16x576xf8E4M3FN>) {
  // expected-remark @+1 {{'fused_qk_rope_concat_and_cache_mla' stays: q_out: expected f8E4M3FN elements beside a cache of them and no others, since q_scale applies only then}}
  %r:2 = "stablehlo.custom_call"(
      %qn, %qp, %c, %k, %cache, %q, %slots, %ks, %qs, %p, %cos, %sin)
      {call_target_name = "fused_qk_rope_concat_and_cache_mla",
       backend_config = {is_neox = false, is_nope_first = true}}
      : (tensor<8x16x512xbf16>, tensor<8x16x64xbf16>, tensor<8x512xbf16>,
         tensor<8x64xbf16>, tensor<?x1x576xbf16>, tensor<8x16x576xf8E4M3FN>,
         tensor<8xi64>, tensor<1xf32>, tensor<f32>, tensor<8xi64>, tensor<?x32xf32>,
         tensor<?x32xf32>)
      -> (tensor<?x1x576xbf16>, tensor<8x16x576xf8E4M3FN>)
  return %r#0, %r#1 : tensor<?x1x576xbf16>, tensor<8x16x576xf8E4M3FN>
}

// -----

// Of the two tables only one.
func.func @no_sin(
    %qn: tensor<8x16x512xbf16>, %qp: tensor<8x16x64xbf16>,
    %c: tensor<8x512xbf16>, %k: tensor<8x64xbf16>, %cache: tensor<?x1x576xbf16>,
    %q: tensor<8x16x576xbf16>, %slots: tensor<8xi64>, %p: tensor<8xi64>,
    %cos: tensor<?x32xf32>)
    -> (tensor<?x1x576xbf16>, tensor<8x16x576xbf16>) {
  // expected-remark @+1 {{'fused_qk_rope_concat_and_cache_mla' stays: sin_cache: expected a table of R/2 = 32 columns, got none}}
  %r:2 = "stablehlo.custom_call"(
      %qn, %qp, %c, %k, %cache, %q, %slots, %p, %cos)
      {call_target_name = "fused_qk_rope_concat_and_cache_mla",
       backend_config = {operands = ["q_nope", "q_pe", "kv_c", "k_pe", "kv_cache", "q_out", "slot_mapping", "positions", "cos_cache"],
                         is_neox = false, is_nope_first = true}}
      : (tensor<8x16x512xbf16>, tensor<8x16x64xbf16>, tensor<8x512xbf16>,
         tensor<8x64xbf16>, tensor<?x1x576xbf16>, tensor<8x16x576xbf16>,
         tensor<8xi64>, tensor<8xi64>, tensor<?x32xf32>)
      -> (tensor<?x1x576xbf16>, tensor<8x16x576xbf16>)
  return %r#0, %r#1 : tensor<?x1x576xbf16>, tensor<8x16x576xbf16>
}

// -----

// The whole table where half of it should be.
// expected-note @+5 {{its value is from here}}
func.func @whole_table(
    %qn: tensor<8x16x512xbf16>, %qp: tensor<8x16x64xbf16>,
    %c: tensor<8x512xbf16>, %k: tensor<8x64xbf16>, %cache: tensor<?x1x576xbf16>,
    %q: tensor<8x16x576xbf16>, %slots: tensor<8xi64>, %ks: tensor<1xf32>,
    %qs: tensor<f32>, %p: tensor<8xi64>, %cos: tensor<?x64xf32>,
    %sin: tensor<?x64xf32>)
    -> (tensor<?x1x576xbf16>, tensor<8x16x576xbf16>) {
  // expected-remark @+1 {{'fused_qk_rope_concat_and_cache_mla' stays: cos_cache: expected a table of R/2 = 32 columns, got 'tensor<?x64xf32>'}}
  %r:2 = "stablehlo.custom_call"(
      %qn, %qp, %c, %k, %cache, %q, %slots, %ks, %qs, %p, %cos, %sin)
      {call_target_name = "fused_qk_rope_concat_and_cache_mla",
       backend_config = {is_neox = false, is_nope_first = true}}
      : (tensor<8x16x512xbf16>, tensor<8x16x64xbf16>, tensor<8x512xbf16>,
         tensor<8x64xbf16>, tensor<?x1x576xbf16>, tensor<8x16x576xbf16>,
         tensor<8xi64>, tensor<1xf32>, tensor<f32>, tensor<8xi64>, tensor<?x64xf32>,
         tensor<?x64xf32>)
      -> (tensor<?x1x576xbf16>, tensor<8x16x576xbf16>)
  return %r#0, %r#1 : tensor<?x1x576xbf16>, tensor<8x16x576xbf16>
}

// -----

// No type of ours.
func.func @fnuz(
    %qn: tensor<8x16x512xbf16>, %qp: tensor<8x16x64xbf16>,
    %c: tensor<8x512xbf16>, %k: tensor<8x64xbf16>,
    %cache: tensor<?x1x576xf8E4M3FNUZ>, %q: tensor<8x16x576xbf16>,
    %slots: tensor<8xi64>, %ks: tensor<1xf32>, %qs: tensor<f32>,
    %p: tensor<8xi64>, %cos: tensor<?x32xf32>, %sin: tensor<?x32xf32>)
    -> (tensor<?x1x576xf8E4M3FNUZ>, tensor<8x16x576xbf16>) {
  // expected-remark @+1 {{'fused_qk_rope_concat_and_cache_mla' stays: 'mla.append' op operand #8 must be tensor or memref of f32, f16, bf16, f8E4M3FN or i8}}
  %r:2 = "stablehlo.custom_call"(
      %qn, %qp, %c, %k, %cache, %q, %slots, %ks, %qs, %p, %cos, %sin)
      {call_target_name = "fused_qk_rope_concat_and_cache_mla",
       backend_config = {is_neox = false, is_nope_first = true}}
      : (tensor<8x16x512xbf16>, tensor<8x16x64xbf16>, tensor<8x512xbf16>,
         tensor<8x64xbf16>, tensor<?x1x576xf8E4M3FNUZ>, tensor<8x16x576xbf16>,
         tensor<8xi64>, tensor<1xf32>, tensor<f32>, tensor<8xi64>, tensor<?x32xf32>,
         tensor<?x32xf32>)
      -> (tensor<?x1x576xf8E4M3FNUZ>, tensor<8x16x576xbf16>)
  return %r#0, %r#1 : tensor<?x1x576xf8E4M3FNUZ>, tensor<8x16x576xbf16>
}

// -----

// Cut off at the end, where a default is unknown.
func.func @no_style(
    %qn: tensor<8x16x512xbf16>, %qp: tensor<8x16x64xbf16>,
    %c: tensor<8x512xbf16>, %k: tensor<8x64xbf16>, %cache: tensor<?x1x576xbf16>,
    %q: tensor<8x16x576xbf16>, %slots: tensor<8xi64>, %ks: tensor<1xf32>,
    %qs: tensor<f32>, %p: tensor<8xi64>, %cos: tensor<?x32xf32>,
    %sin: tensor<?x32xf32>)
    -> (tensor<?x1x576xbf16>, tensor<8x16x576xbf16>) {
  // expected-remark @+1 {{'fused_qk_rope_concat_and_cache_mla' stays: is_neox: expected true or false, got none}}
  %r:2 = "stablehlo.custom_call"(
      %qn, %qp, %c, %k, %cache, %q, %slots, %ks, %qs, %p, %cos, %sin)
      {call_target_name = "fused_qk_rope_concat_and_cache_mla",
       backend_config = {is_nope_first = true}}
      : (tensor<8x16x512xbf16>, tensor<8x16x64xbf16>, tensor<8x512xbf16>,
         tensor<8x64xbf16>, tensor<?x1x576xbf16>, tensor<8x16x576xbf16>,
         tensor<8xi64>, tensor<1xf32>, tensor<f32>, tensor<8xi64>, tensor<?x32xf32>,
         tensor<?x32xf32>)
      -> (tensor<?x1x576xbf16>, tensor<8x16x576xbf16>)
  return %r#0, %r#1 : tensor<?x1x576xbf16>, tensor<8x16x576xbf16>
}
