// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Every operation's own schema without one operand: the call stays, and says why.

// RUN: mla-opt %s --allow-unregistered-dialect -split-input-file --convert-custom-call-to-mla -verify-diagnostics -o %t.after
// RUN: mla-opt %s --allow-unregistered-dialect -split-input-file -o %t.before
// RUN: diff %t.before %t.after

func.func @attention(%q: tensor<?x16x192xbf16>, %c_kv: tensor<?x512xbf16>, %k_pe: tensor<?x64xbf16>, %w: tensor<16x256x512xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>, %cu: tensor<?xi32>, %table: tensor<?x64xf32>, %o: tensor<?x16x128xbf16>, %c: tensor<?x64x576xbf16>)
    -> (tensor<?x16x128xbf16>, tensor<?x64x576xbf16>) {
  // expected-remark @+1 {{convert-custom-call-to-mla: 'mla.attention' stays: q: expected an operand, got none}}
  %r:2 = "stablehlo.custom_call"(%c_kv, %k_pe, %w, %pages, %lens, %cu, %table, %o, %c)
      {call_target_name = "mla.attention",
       backend_config = {operands = ["c_kv", "k_pe", "w_kv_b", "page_table", "kv_lens", "cu_q", "cos_sin", "out", "cache"], rope = #mla.rope<interleaved, head_dim = 64>, softmax_scale = 0.07216878364870322 : f64}}
      : (tensor<?x512xbf16>, tensor<?x64xbf16>, tensor<16x256x512xbf16>, tensor<?x?xi32>, tensor<?xi32>, tensor<?xi32>, tensor<?x64xf32>, tensor<?x16x128xbf16>, tensor<?x64x576xbf16>)
      -> (tensor<?x16x128xbf16>, tensor<?x64x576xbf16>)
  return %r#0, %r#1 : tensor<?x16x128xbf16>, tensor<?x64x576xbf16>
}

// -----

func.func @slot_mapping(%lens: tensor<?xi32>, %cu: tensor<?xi32>, %pages: tensor<?x?xi32>, %p: tensor<?xi64>, %s: tensor<?xi64>)
    -> (tensor<?xi64>, tensor<?xi64>) {
  // expected-remark @+1 {{convert-custom-call-to-mla: 'mla.slot_mapping' stays: kv_lens: expected an operand, got none}}
  %r:2 = "stablehlo.composite"(%cu, %pages, %p, %s)
      {name = "mla.slot_mapping", decomposition = @none,
       composite_attributes = {operands = ["cu_q", "page_table", "positions", "slots"], page_size = 64 : i64}}
      : (tensor<?xi32>, tensor<?x?xi32>, tensor<?xi64>, tensor<?xi64>)
      -> (tensor<?xi64>, tensor<?xi64>)
  return %r#0, %r#1 : tensor<?xi64>, tensor<?xi64>
}

// -----

func.func @rope(%k_pe: tensor<?x64xbf16>, %table: tensor<?x64xf32>, %p: tensor<?xi64>, %y: tensor<?x64xbf16>)
    -> (tensor<?x64xbf16>) {
  // expected-remark @+1 {{convert-custom-call-to-mla: 'mla.rope' stays: x: expected an operand, got none}}
  %r:1 = "torch.operator"(%table, %p, %y)
      {name = "torch.mla.rope",
       operands = ["cos_sin", "positions", "y"], rope = "#mla.rope<interleaved, head_dim = 64>"}
      : (tensor<?x64xf32>, tensor<?xi64>, tensor<?x64xbf16>)
      -> (tensor<?x64xbf16>)
  return %r#0 : tensor<?x64xbf16>
}

// -----

func.func private @mla.append(tensor<?x64xbf16>, tensor<?x16x64xbf16>, tensor<?xi64>, tensor<?x64xf32>, tensor<?xi64>, tensor<?x16x576xbf16>, tensor<?x64x576xbf16>) -> (tensor<?x16x576xbf16>, tensor<?x64x576xbf16>)
func.func @append(%c_kv: tensor<?x512xbf16>, %k_pe: tensor<?x64xbf16>, %q_pe: tensor<?x16x64xbf16>, %slots: tensor<?xi64>, %table: tensor<?x64xf32>, %p: tensor<?xi64>, %q: tensor<?x16x576xbf16>, %c: tensor<?x64x576xbf16>)
    -> (tensor<?x16x576xbf16>, tensor<?x64x576xbf16>) {
  // expected-remark @+1 {{convert-custom-call-to-mla: 'mla.append' stays: 'mla.append' op (C3) c_kv: expected an operand because there is a cache, got none}}
  %r:2 = call @mla.append(%k_pe, %q_pe, %slots, %table, %p, %q, %c)
      {operands = ["k_pe", "q_pe", "slots", "cos_sin", "positions", "query", "cache"], rope = "#mla.rope<interleaved, head_dim = 64>"}
      : (tensor<?x64xbf16>, tensor<?x16x64xbf16>, tensor<?xi64>, tensor<?x64xf32>, tensor<?xi64>, tensor<?x16x576xbf16>, tensor<?x64x576xbf16>)
      -> (tensor<?x16x576xbf16>, tensor<?x64x576xbf16>)
  return %r#0, %r#1 : tensor<?x16x576xbf16>, tensor<?x64x576xbf16>
}

// -----

func.func @absorb_q(%q: tensor<?x16x128xbf16>, %w: tensor<16x128x512xbf16>, %o: tensor<?x16x512xbf16>)
    -> (tensor<?x16x512xbf16>) {
  // expected-remark @+1 {{convert-custom-call-to-mla: 'mla.absorb_q' stays: q_nope: expected an operand, got none}}
  %r:1 = "stablehlo.custom_call"(%w, %o)
      {call_target_name = "mla.absorb_q",
       backend_config = {operands = ["w_uk", "query"]}}
      : (tensor<16x128x512xbf16>, tensor<?x16x512xbf16>)
      -> (tensor<?x16x512xbf16>)
  return %r#0 : tensor<?x16x512xbf16>
}

// -----

func.func @project_v(%o: tensor<?x16x512xbf16>, %w: tensor<16x128x512xbf16>, %out: tensor<?x16x128xbf16>)
    -> (tensor<?x16x128xbf16>) {
  // expected-remark @+1 {{convert-custom-call-to-mla: 'mla.project_v' stays: o_latent: expected an operand, got none}}
  %r:1 = "stablehlo.composite"(%w, %out)
      {name = "mla.project_v", decomposition = @none,
       composite_attributes = {operands = ["w_uv", "out"]}}
      : (tensor<16x128x512xbf16>, tensor<?x16x128xbf16>)
      -> (tensor<?x16x128xbf16>)
  return %r#0 : tensor<?x16x128xbf16>
}

// -----

func.func @schedule(%lens: tensor<?xi32>, %cu: tensor<?xi32>, %s: tensor<?xi32>)
    -> (tensor<?xi32>) {
  // expected-remark @+1 {{convert-custom-call-to-mla: 'mla.schedule' stays: kv_lens: expected an operand, got none}}
  %r:1 = "torch.operator"(%cu, %s)
      {name = "torch.mla.schedule",
       operands = ["cu_q", "schedule"], num_heads = 16 : i64, page_size = 64 : i64}
      : (tensor<?xi32>, tensor<?xi32>)
      -> (tensor<?xi32>)
  return %r#0 : tensor<?xi32>
}

// -----

func.func private @mla.absorbed_attention(tensor<?x64x576xbf16>, tensor<?x?xi32>, tensor<?xi32>, tensor<?xi32>, tensor<?x16x512xbf16>, tensor<?x16xf32>) -> (tensor<?x16x512xbf16>, tensor<?x16xf32>)
func.func @absorbed_attention(%q: tensor<?x16x576xbf16>, %c: tensor<?x64x576xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>, %cu: tensor<?xi32>, %o: tensor<?x16x512xbf16>, %lse: tensor<?x16xf32>)
    -> (tensor<?x16x512xbf16>, tensor<?x16xf32>) {
  // expected-remark @+1 {{convert-custom-call-to-mla: 'mla.absorbed_attention' stays: query: expected an operand, got none}}
  %r:2 = call @mla.absorbed_attention(%c, %pages, %lens, %cu, %o, %lse)
      {operands = ["cache", "page_table", "kv_lens", "cu_q", "o", "lse"], softmax_scale = 0.07216878364870322 : f64}
      : (tensor<?x64x576xbf16>, tensor<?x?xi32>, tensor<?xi32>, tensor<?xi32>, tensor<?x16x512xbf16>, tensor<?x16xf32>)
      -> (tensor<?x16x512xbf16>, tensor<?x16xf32>)
  return %r#0, %r#1 : tensor<?x16x512xbf16>, tensor<?x16xf32>
}

// -----

func.func @expand_kv(%c: tensor<?x512xbf16>, %w: tensor<16x256x512xbf16>, %kv: tensor<?x16x256xbf16>)
    -> (tensor<?x16x256xbf16>) {
  // expected-remark @+1 {{convert-custom-call-to-mla: 'mla.expand_kv' stays: c_kv: expected an operand, got none}}
  %r:1 = "stablehlo.custom_call"(%w, %kv)
      {call_target_name = "mla.expand_kv",
       backend_config = {operands = ["w_kv_b", "kv"]}}
      : (tensor<16x256x512xbf16>, tensor<?x16x256xbf16>)
      -> (tensor<?x16x256xbf16>)
  return %r#0 : tensor<?x16x256xbf16>
}

// -----

func.func @expanded_attention(%q: tensor<?x16x192xbf16>, %k: tensor<?x16x128xbf16>, %k_pe: tensor<?x64xbf16>, %v: tensor<?x16x128xbf16>, %cu_q: tensor<?xi32>, %lens: tensor<?xi32>, %start: index, %length: index, %o: tensor<?x16x128xf32>, %lse: tensor<?x16xf32>)
    -> (tensor<?x16x128xf32>, tensor<?x16xf32>) {
  // expected-remark @+1 {{convert-custom-call-to-mla: 'mla.expanded_attention' stays: q: expected an operand, got none}}
  %r:2 = "stablehlo.composite"(%k, %k_pe, %v, %cu_q, %lens, %start, %length, %o, %lse)
      {name = "mla.expanded_attention", decomposition = @none,
       composite_attributes = {operands = ["k_nope", "k_pe", "v", "cu_q", "kv_lens", "window_start", "window_length", "o", "lse"], causal, softmax_scale = 0.07216878364870322 : f64}}
      : (tensor<?x16x128xbf16>, tensor<?x64xbf16>, tensor<?x16x128xbf16>, tensor<?xi32>, tensor<?xi32>, index, index, tensor<?x16x128xf32>, tensor<?x16xf32>)
      -> (tensor<?x16x128xf32>, tensor<?x16xf32>)
  return %r#0, %r#1 : tensor<?x16x128xf32>, tensor<?x16xf32>
}

// -----

func.func @gather_kv(%c: tensor<?x64x576xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>, %start: index, %length: index, %c_kv: tensor<?x512xbf16>, %k_pe: tensor<?x64xbf16>)
    -> (tensor<?x512xbf16>, tensor<?x64xbf16>) {
  // expected-remark @+1 {{convert-custom-call-to-mla: 'mla.gather_kv' stays: cache: expected an operand, got none}}
  %r:2 = "torch.operator"(%pages, %lens, %start, %length, %c_kv, %k_pe)
      {name = "torch.mla.gather_kv",
       operands = ["page_table", "kv_lens", "window_start", "window_length", "c_kv", "k_pe"]}
      : (tensor<?x?xi32>, tensor<?xi32>, index, index, tensor<?x512xbf16>, tensor<?x64xbf16>)
      -> (tensor<?x512xbf16>, tensor<?x64xbf16>)
  return %r#0, %r#1 : tensor<?x512xbf16>, tensor<?x64xbf16>
}

// -----

func.func private @mla.merge_states(tensor<?x?x16xf32>, tensor<?x16x512xf32>, tensor<?x16xf32>) -> (tensor<?x16x512xf32>, tensor<?x16xf32>)
func.func @merge_states(%os: tensor<?x?x16x512xf32>, %ls: tensor<?x?x16xf32>, %o: tensor<?x16x512xf32>, %lse: tensor<?x16xf32>)
    -> (tensor<?x16x512xf32>, tensor<?x16xf32>) {
  // expected-remark @+1 {{convert-custom-call-to-mla: 'mla.merge_states' stays: o_states: expected an operand, got none}}
  %r:2 = call @mla.merge_states(%ls, %o, %lse)
      {operands = ["lse_states", "o", "lse"]}
      : (tensor<?x?x16xf32>, tensor<?x16x512xf32>, tensor<?x16xf32>)
      -> (tensor<?x16x512xf32>, tensor<?x16xf32>)
  return %r#0, %r#1 : tensor<?x16x512xf32>, tensor<?x16xf32>
}
