// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Every operation's own schema, in the forms in turn: operands by name, attributes as
// attributes or as text, a result a destination.

// RUN: mla-opt %s --allow-unregistered-dialect --convert-custom-call-to-mla 2>/dev/null | FileCheck %s --implicit-check-not="func private"

// CHECK-LABEL: @attention(
// CHECK-NOT: call
// CHECK: mla.attention ins(q = %{{[a-z0-9_]+}} : tensor<?x16x192xbf16>, c_kv = %{{[a-z0-9_]+}} : tensor<?x512xbf16>, k_pe = %{{[a-z0-9_]+}} : tensor<?x64xbf16>, w_kv_b = %{{[a-z0-9_]+}} : tensor<16x256x512xbf16>, page_table = %{{[a-z0-9_]+}} : tensor<?x?xi32>, kv_lens = %{{[a-z0-9_]+}} : tensor<?xi32>, cu_q = %{{[a-z0-9_]+}} : tensor<?xi32>, cos_sin = %{{[a-z0-9_]+}} : tensor<?x64xf32>) outs(out = %{{[a-z0-9_]+}} : tensor<?x16x128xbf16>, cache = %{{[a-z0-9_]+}} : tensor<?x64x576xbf16>) {rope = #mla.rope<interleaved, head_dim = 64>, softmax_scale = 0.072168783648703216 : f64}
func.func private @mla.attention(tensor<?x16x192xbf16>, tensor<?x512xbf16>, tensor<?x64xbf16>, tensor<16x256x512xbf16>, tensor<?x?xi32>, tensor<?xi32>, tensor<?xi32>, tensor<?x64xf32>, tensor<?x16x128xbf16>, tensor<?x64x576xbf16>) -> (tensor<?x16x128xbf16>, tensor<?x64x576xbf16>)
func.func @attention(%q: tensor<?x16x192xbf16>, %c_kv: tensor<?x512xbf16>, %k_pe: tensor<?x64xbf16>, %w: tensor<16x256x512xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>, %cu: tensor<?xi32>, %table: tensor<?x64xf32>, %o: tensor<?x16x128xbf16>, %c: tensor<?x64x576xbf16>)
    -> (tensor<?x16x128xbf16>, tensor<?x64x576xbf16>) {
  %r:2 = call @mla.attention(%q, %c_kv, %k_pe, %w, %pages, %lens, %cu, %table, %o, %c)
      {operands = ["q", "c_kv", "k_pe", "w_kv_b", "page_table", "kv_lens", "cu_q", "cos_sin", "out", "cache"], rope = "#mla.rope<interleaved, head_dim = 64>", softmax_scale = 0.07216878364870322 : f64}
      : (tensor<?x16x192xbf16>, tensor<?x512xbf16>, tensor<?x64xbf16>, tensor<16x256x512xbf16>, tensor<?x?xi32>, tensor<?xi32>, tensor<?xi32>, tensor<?x64xf32>, tensor<?x16x128xbf16>, tensor<?x64x576xbf16>)
      -> (tensor<?x16x128xbf16>, tensor<?x64x576xbf16>)
  return %r#0, %r#1 : tensor<?x16x128xbf16>, tensor<?x64x576xbf16>
}

// CHECK-LABEL: @slot_mapping(
// CHECK-NOT: stablehlo
// CHECK: mla.slot_mapping ins(kv_lens = %{{[a-z0-9_]+}} : tensor<?xi32>, cu_q = %{{[a-z0-9_]+}} : tensor<?xi32>, page_table = %{{[a-z0-9_]+}} : tensor<?x?xi32>) outs(positions = %{{[a-z0-9_]+}} : tensor<?xi64>, slots = %{{[a-z0-9_]+}} : tensor<?xi64>) {page_size = 64 : i64}
func.func @slot_mapping(%lens: tensor<?xi32>, %cu: tensor<?xi32>, %pages: tensor<?x?xi32>, %p: tensor<?xi64>, %s: tensor<?xi64>)
    -> (tensor<?xi64>, tensor<?xi64>) {
  %r:2 = "stablehlo.custom_call"(%lens, %cu, %pages, %p, %s)
      {call_target_name = "mla.slot_mapping",
       backend_config = {operands = ["kv_lens", "cu_q", "page_table", "positions", "slots"], page_size = 64 : i64}}
      : (tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>, tensor<?xi64>, tensor<?xi64>)
      -> (tensor<?xi64>, tensor<?xi64>)
  return %r#0, %r#1 : tensor<?xi64>, tensor<?xi64>
}

// CHECK-LABEL: @rope(
// CHECK-NOT: stablehlo
// CHECK: mla.rope ins(x = %{{[a-z0-9_]+}} : tensor<?x64xbf16>, cos_sin = %{{[a-z0-9_]+}} : tensor<?x64xf32>, positions = %{{[a-z0-9_]+}} : tensor<?xi64>) outs(y = %{{[a-z0-9_]+}} : tensor<?x64xbf16>) {rope = #mla.rope<interleaved, head_dim = 64>}
func.func @rope(%k_pe: tensor<?x64xbf16>, %table: tensor<?x64xf32>, %p: tensor<?xi64>, %y: tensor<?x64xbf16>)
    -> (tensor<?x64xbf16>) {
  %r:1 = "stablehlo.composite"(%k_pe, %table, %p, %y)
      {name = "mla.rope", decomposition = @none,
       composite_attributes = {operands = ["x", "cos_sin", "positions", "y"], rope = "#mla.rope<interleaved, head_dim = 64>"}}
      : (tensor<?x64xbf16>, tensor<?x64xf32>, tensor<?xi64>, tensor<?x64xbf16>)
      -> (tensor<?x64xbf16>)
  return %r#0 : tensor<?x64xbf16>
}

// CHECK-LABEL: @append(
// CHECK-NOT: torch.operator
// CHECK: mla.append ins(c_kv = %{{[a-z0-9_]+}} : tensor<?x512xbf16>, k_pe = %{{[a-z0-9_]+}} : tensor<?x64xbf16>, q_pe = %{{[a-z0-9_]+}} : tensor<?x16x64xbf16>, slots = %{{[a-z0-9_]+}} : tensor<?xi64>, cos_sin = %{{[a-z0-9_]+}} : tensor<?x64xf32>, positions = %{{[a-z0-9_]+}} : tensor<?xi64>) outs(query = %{{[a-z0-9_]+}} : tensor<?x16x576xbf16>, cache = %{{[a-z0-9_]+}} : tensor<?x64x576xbf16>) {rope = #mla.rope<interleaved, head_dim = 64>}
func.func @append(%c_kv: tensor<?x512xbf16>, %k_pe: tensor<?x64xbf16>, %q_pe: tensor<?x16x64xbf16>, %slots: tensor<?xi64>, %table: tensor<?x64xf32>, %p: tensor<?xi64>, %q: tensor<?x16x576xbf16>, %c: tensor<?x64x576xbf16>)
    -> (tensor<?x16x576xbf16>, tensor<?x64x576xbf16>) {
  %r:2 = "torch.operator"(%c_kv, %k_pe, %q_pe, %slots, %table, %p, %q, %c)
      {name = "torch.mla.append",
       operands = ["c_kv", "k_pe", "q_pe", "slots", "cos_sin", "positions", "query", "cache"], rope = "#mla.rope<interleaved, head_dim = 64>"}
      : (tensor<?x512xbf16>, tensor<?x64xbf16>, tensor<?x16x64xbf16>, tensor<?xi64>, tensor<?x64xf32>, tensor<?xi64>, tensor<?x16x576xbf16>, tensor<?x64x576xbf16>)
      -> (tensor<?x16x576xbf16>, tensor<?x64x576xbf16>)
  return %r#0, %r#1 : tensor<?x16x576xbf16>, tensor<?x64x576xbf16>
}

// CHECK-LABEL: @absorb_q(
// CHECK-NOT: call
// CHECK: mla.absorb_q ins(q_nope = %{{[a-z0-9_]+}} : tensor<?x16x128xbf16>, w_uk = %{{[a-z0-9_]+}} : tensor<16x128x512xbf16>) outs(query = %{{[a-z0-9_]+}} : tensor<?x16x512xbf16>)
func.func private @mla.absorb_q(tensor<?x16x128xbf16>, tensor<16x128x512xbf16>, tensor<?x16x512xbf16>) -> (tensor<?x16x512xbf16>)
func.func @absorb_q(%q: tensor<?x16x128xbf16>, %w: tensor<16x128x512xbf16>, %o: tensor<?x16x512xbf16>)
    -> (tensor<?x16x512xbf16>) {
  %r:1 = call @mla.absorb_q(%q, %w, %o)
      {operands = ["q_nope", "w_uk", "query"]}
      : (tensor<?x16x128xbf16>, tensor<16x128x512xbf16>, tensor<?x16x512xbf16>)
      -> (tensor<?x16x512xbf16>)
  return %r#0 : tensor<?x16x512xbf16>
}

// CHECK-LABEL: @project_v(
// CHECK-NOT: stablehlo
// CHECK: mla.project_v ins(o_latent = %{{[a-z0-9_]+}} : tensor<?x16x512xbf16>, w_uv = %{{[a-z0-9_]+}} : tensor<16x128x512xbf16>) outs(out = %{{[a-z0-9_]+}} : tensor<?x16x128xbf16>)
func.func @project_v(%o: tensor<?x16x512xbf16>, %w: tensor<16x128x512xbf16>, %out: tensor<?x16x128xbf16>)
    -> (tensor<?x16x128xbf16>) {
  %r:1 = "stablehlo.custom_call"(%o, %w, %out)
      {call_target_name = "mla.project_v",
       backend_config = {operands = ["o_latent", "w_uv", "out"]}}
      : (tensor<?x16x512xbf16>, tensor<16x128x512xbf16>, tensor<?x16x128xbf16>)
      -> (tensor<?x16x128xbf16>)
  return %r#0 : tensor<?x16x128xbf16>
}

// CHECK-LABEL: @schedule(
// CHECK-NOT: stablehlo
// CHECK: mla.schedule ins(kv_lens = %{{[a-z0-9_]+}} : tensor<?xi32>, cu_q = %{{[a-z0-9_]+}} : tensor<?xi32>) outs(schedule = %{{[a-z0-9_]+}} : tensor<?xi32>) {num_heads = 16 : i64, page_size = 64 : i64}
func.func @schedule(%lens: tensor<?xi32>, %cu: tensor<?xi32>, %s: tensor<?xi32>)
    -> (tensor<?xi32>) {
  %r:1 = "stablehlo.composite"(%lens, %cu, %s)
      {name = "mla.schedule", decomposition = @none,
       composite_attributes = {operands = ["kv_lens", "cu_q", "schedule"], num_heads = 16 : i64, page_size = 64 : i64}}
      : (tensor<?xi32>, tensor<?xi32>, tensor<?xi32>)
      -> (tensor<?xi32>)
  return %r#0 : tensor<?xi32>
}

// CHECK-LABEL: @absorbed_attention(
// CHECK-NOT: torch.operator
// CHECK: mla.absorbed_attention ins(query = %{{[a-z0-9_]+}} : tensor<?x16x576xbf16>, cache = %{{[a-z0-9_]+}} : tensor<?x64x576xbf16>, page_table = %{{[a-z0-9_]+}} : tensor<?x?xi32>, kv_lens = %{{[a-z0-9_]+}} : tensor<?xi32>, cu_q = %{{[a-z0-9_]+}} : tensor<?xi32>) outs(o = %{{[a-z0-9_]+}} : tensor<?x16x512xbf16>, lse = %{{[a-z0-9_]+}} : tensor<?x16xf32>) {softmax_scale = 0.072168783648703216 : f64}
func.func @absorbed_attention(%q: tensor<?x16x576xbf16>, %c: tensor<?x64x576xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>, %cu: tensor<?xi32>, %o: tensor<?x16x512xbf16>, %lse: tensor<?x16xf32>)
    -> (tensor<?x16x512xbf16>, tensor<?x16xf32>) {
  %r:2 = "torch.operator"(%q, %c, %pages, %lens, %cu, %o, %lse)
      {name = "torch.mla.absorbed_attention",
       operands = ["query", "cache", "page_table", "kv_lens", "cu_q", "o", "lse"], softmax_scale = 0.07216878364870322 : f64}
      : (tensor<?x16x576xbf16>, tensor<?x64x576xbf16>, tensor<?x?xi32>, tensor<?xi32>, tensor<?xi32>, tensor<?x16x512xbf16>, tensor<?x16xf32>)
      -> (tensor<?x16x512xbf16>, tensor<?x16xf32>)
  return %r#0, %r#1 : tensor<?x16x512xbf16>, tensor<?x16xf32>
}

// CHECK-LABEL: @expand_kv(
// CHECK-NOT: call
// CHECK: mla.expand_kv ins(c_kv = %{{[a-z0-9_]+}} : tensor<?x512xbf16>, w_kv_b = %{{[a-z0-9_]+}} : tensor<16x256x512xbf16>) outs(kv = %{{[a-z0-9_]+}} : tensor<?x16x256xbf16>)
func.func private @mla.expand_kv(tensor<?x512xbf16>, tensor<16x256x512xbf16>, tensor<?x16x256xbf16>) -> (tensor<?x16x256xbf16>)
func.func @expand_kv(%c: tensor<?x512xbf16>, %w: tensor<16x256x512xbf16>, %kv: tensor<?x16x256xbf16>)
    -> (tensor<?x16x256xbf16>) {
  %r:1 = call @mla.expand_kv(%c, %w, %kv)
      {operands = ["c_kv", "w_kv_b", "kv"]}
      : (tensor<?x512xbf16>, tensor<16x256x512xbf16>, tensor<?x16x256xbf16>)
      -> (tensor<?x16x256xbf16>)
  return %r#0 : tensor<?x16x256xbf16>
}

// CHECK-LABEL: @expanded_attention(
// CHECK-NOT: stablehlo
// CHECK: mla.expanded_attention ins(q = %{{[a-z0-9_]+}} : tensor<?x16x192xbf16>, k_nope = %{{[a-z0-9_]+}} : tensor<?x16x128xbf16>, k_pe = %{{[a-z0-9_]+}} : tensor<?x64xbf16>, v = %{{[a-z0-9_]+}} : tensor<?x16x128xbf16>, cu_q = %{{[a-z0-9_]+}} : tensor<?xi32>, kv_lens = %{{[a-z0-9_]+}} : tensor<?xi32>, window_start = %{{[a-z0-9_]+}} : index, window_length = %{{[a-z0-9_]+}} : index) outs(o = %{{[a-z0-9_]+}} : tensor<?x16x128xf32>, lse = %{{[a-z0-9_]+}} : tensor<?x16xf32>) {causal, softmax_scale = 0.072168783648703216 : f64}
func.func @expanded_attention(%q: tensor<?x16x192xbf16>, %k: tensor<?x16x128xbf16>, %k_pe: tensor<?x64xbf16>, %v: tensor<?x16x128xbf16>, %cu_q: tensor<?xi32>, %lens: tensor<?xi32>, %start: index, %length: index, %o: tensor<?x16x128xf32>, %lse: tensor<?x16xf32>)
    -> (tensor<?x16x128xf32>, tensor<?x16xf32>) {
  %r:2 = "stablehlo.custom_call"(%q, %k, %k_pe, %v, %cu_q, %lens, %start, %length, %o, %lse)
      {call_target_name = "mla.expanded_attention",
       backend_config = {operands = ["q", "k_nope", "k_pe", "v", "cu_q", "kv_lens", "window_start", "window_length", "o", "lse"], causal, softmax_scale = 0.07216878364870322 : f64}}
      : (tensor<?x16x192xbf16>, tensor<?x16x128xbf16>, tensor<?x64xbf16>, tensor<?x16x128xbf16>, tensor<?xi32>, tensor<?xi32>, index, index, tensor<?x16x128xf32>, tensor<?x16xf32>)
      -> (tensor<?x16x128xf32>, tensor<?x16xf32>)
  return %r#0, %r#1 : tensor<?x16x128xf32>, tensor<?x16xf32>
}

// CHECK-LABEL: @gather_kv(
// CHECK-NOT: stablehlo
// CHECK: mla.gather_kv ins(cache = %{{[a-z0-9_]+}} : tensor<?x64x576xbf16>, page_table = %{{[a-z0-9_]+}} : tensor<?x?xi32>, kv_lens = %{{[a-z0-9_]+}} : tensor<?xi32>, window_start = %{{[a-z0-9_]+}} : index, window_length = %{{[a-z0-9_]+}} : index) outs(c_kv = %{{[a-z0-9_]+}} : tensor<?x512xbf16>, k_pe = %{{[a-z0-9_]+}} : tensor<?x64xbf16>)
func.func @gather_kv(%c: tensor<?x64x576xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>, %start: index, %length: index, %c_kv: tensor<?x512xbf16>, %k_pe: tensor<?x64xbf16>)
    -> (tensor<?x512xbf16>, tensor<?x64xbf16>) {
  %r:2 = "stablehlo.composite"(%c, %pages, %lens, %start, %length, %c_kv, %k_pe)
      {name = "mla.gather_kv", decomposition = @none,
       composite_attributes = {operands = ["cache", "page_table", "kv_lens", "window_start", "window_length", "c_kv", "k_pe"]}}
      : (tensor<?x64x576xbf16>, tensor<?x?xi32>, tensor<?xi32>, index, index, tensor<?x512xbf16>, tensor<?x64xbf16>)
      -> (tensor<?x512xbf16>, tensor<?x64xbf16>)
  return %r#0, %r#1 : tensor<?x512xbf16>, tensor<?x64xbf16>
}

// CHECK-LABEL: @merge_states(
// CHECK-NOT: torch.operator
// CHECK: mla.merge_states ins(o_states = %{{[a-z0-9_]+}} : tensor<?x?x16x512xf32>, lse_states = %{{[a-z0-9_]+}} : tensor<?x?x16xf32>) outs(o = %{{[a-z0-9_]+}} : tensor<?x16x512xf32>, lse = %{{[a-z0-9_]+}} : tensor<?x16xf32>)
func.func @merge_states(%os: tensor<?x?x16x512xf32>, %ls: tensor<?x?x16xf32>, %o: tensor<?x16x512xf32>, %lse: tensor<?x16xf32>)
    -> (tensor<?x16x512xf32>, tensor<?x16xf32>) {
  %r:2 = "torch.operator"(%os, %ls, %o, %lse)
      {name = "torch.mla.merge_states",
       operands = ["o_states", "lse_states", "o", "lse"]}
      : (tensor<?x?x16x512xf32>, tensor<?x?x16xf32>, tensor<?x16x512xf32>, tensor<?x16xf32>)
      -> (tensor<?x16x512xf32>, tensor<?x16xf32>)
  return %r#0, %r#1 : tensor<?x16x512xf32>, tensor<?x16xf32>
}
