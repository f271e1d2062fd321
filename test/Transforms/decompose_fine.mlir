// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-decompose=granularity=fine | FileCheck %s
// RUN: mla-opt %s --mla-decompose="granularity=fine form=auto" | FileCheck %s --check-prefix=AUTO

// Decomposed once, nothing is left to do.
// RUN: mla-opt %s --mla-decompose=granularity=fine -o %t
// RUN: mla-opt %t --mla-decompose=granularity=fine | diff %t -

// Two rotations, in the input's type, and two appends that rotate nothing.
// CHECK-LABEL: func.func @rotated(
// CHECK-SAME:    %[[Q:[^:]*]]: tensor<4x2x6xbf16>, %[[C_KV:[^:]*]]: tensor<4x8xbf16>, %[[K_PE:[^:]*]]: tensor<4x2xbf16>
// CHECK-SAME:    %[[CU:[^:]*]]: tensor<2xi32>, %[[TABLE:[^:]*]]: tensor<?x2xf32>,
// CHECK:         %[[P:.*]], %[[S:.*]] = mla.slot_mapping
// CHECK:         %[[QUERY0:.*]] = tensor.insert_slice
// CHECK:         %[[Q_PE0:.*]] = tensor.extract_slice %[[Q]][0, 0, 4]
// CHECK:         %[[Q_PE:.*]] = mla.rope ins(x = %[[Q_PE0]] : tensor<4x2x2xbf16>, cos_sin = %[[TABLE]] : tensor<?x2xf32>, positions = %[[P]] : tensor<4xi64>) outs(y = %{{.*}} : tensor<4x2x2xbf16>) {phase = #mla.phase<context>, rope = #mla.rope<interleaved, head_dim = 2>}
// CHECK:         %[[K:.*]] = mla.rope ins(x = %[[K_PE]] : tensor<4x2xbf16>, cos_sin = %[[TABLE]] : tensor<?x2xf32>, positions = %[[P]] : tensor<4xi64>) outs(y = %{{.*}} : tensor<4x2xbf16>) {phase = #mla.phase<context>, rope = #mla.rope<interleaved, head_dim = 2>}
// CHECK:         %[[NEW:.*]] = mla.append ins(c_kv = %[[C_KV]] : tensor<4x8xbf16>, k_pe = %[[K]] : tensor<4x2xbf16>, slots = %[[S]] : tensor<4xi64>) outs(cache = %{{.*}} : tensor<?x16x10xbf16>) {model.layer = 7 : i64, phase = #mla.phase<context>}
// CHECK:         %[[QUERY:.*]] = mla.append ins(q_pe = %[[Q_PE]] : tensor<4x2x2xbf16>, cu_q = %[[CU]] : tensor<2xi32>) outs(query = %[[QUERY0]] : tensor<4x2x10xbf16>) {model.layer = 7 : i64, phase = #mla.phase<context>}
// CHECK:         mla.absorbed_attention ins(query = %[[QUERY]] {{.*}} cache = %[[NEW]]
//
// One append and its parts serve both forms.
// AUTO-LABEL: func.func @rotated(
// AUTO-COUNT-2: mla.rope
// AUTO-COUNT-2: mla.append
// AUTO:         scf.if
// AUTO-NOT:     mla.append
// AUTO:         return
func.func @rotated(
    %q: tensor<4x2x6xbf16>, %c_kv: tensor<4x8xbf16>, %k_pe: tensor<4x2xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<1x?xi32>, %lens: tensor<1xi32>,
    %cu: tensor<2xi32>, %cos_sin: tensor<?x2xf32>, %out: tensor<4x2x4xbf16>,
    %cache: tensor<?x16x10xbf16>)
    -> (tensor<4x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(
          q = %q : tensor<4x2x6xbf16>, c_kv = %c_kv : tensor<4x8xbf16>,
          k_pe = %k_pe : tensor<4x2xbf16>, w_kv_b = %w : tensor<2x8x8xbf16>,
          page_table = %pages : tensor<1x?xi32>, kv_lens = %lens : tensor<1xi32>,
          cu_q = %cu : tensor<2xi32>, cos_sin = %cos_sin : tensor<?x2xf32>)
      outs(out = %out : tensor<4x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>, phase = #mla.phase<context>,
       model.layer = 7 : i64, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<4x2x4xbf16>, tensor<?x16x10xbf16>
}

// Rounded once: everything that is quantized is f32 in between.
// CHECK-LABEL: func.func @fp8_direct(
// CHECK:         %[[ABSORBED:.*]] = mla.absorb_q
// CHECK:         %[[Q_PE:.*]] = mla.rope {{.*}} outs(y = %{{.*}} : tensor<4x2x2xf32>)
// CHECK:         %[[Q_NOPE:.*]] = linalg.copy ins(%[[ABSORBED]] : tensor<4x2x8xbf16>) outs(%{{.*}} : tensor<4x2x8xf32>)
// CHECK:         %[[K_PE:.*]] = mla.rope {{.*}} outs(y = %{{.*}} : tensor<4x2xf32>)
// CHECK:         %[[C_KV:.*]] = linalg.copy ins(%{{.*}} : tensor<4x8xbf16>) outs(%{{.*}} : tensor<4x8xf32>)
// CHECK:         mla.append ins(c_kv = %[[C_KV]] : tensor<4x8xf32>, k_pe = %[[K_PE]] : tensor<4x2xf32>, slots = %{{.*}}, latent_scale = %{{.*}}, pe_scale = %{{.*}}) outs(cache = %{{.*}} : tensor<?x16x10xf8E4M3FN>){{$}}
// CHECK:         mla.append ins(q_nope = %[[Q_NOPE]] : tensor<4x2x8xf32>, q_pe = %[[Q_PE]] : tensor<4x2x2xf32>, cu_q = %{{.*}}, query_scale = %{{.*}}) outs(query = %{{.*}} : tensor<4x2x10xf8E4M3FN>){{$}}
func.func @fp8_direct(
    %q: tensor<4x2x6xbf16>, %c_kv: tensor<4x8xbf16>, %k_pe: tensor<4x2xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<1x?xi32>, %lens: tensor<1xi32>,
    %cu: tensor<2xi32>, %cos_sin: tensor<?x2xf32>, %scale: tensor<f32>,
    %out: tensor<4x2x4xbf16>, %cache: tensor<?x16x10xf8E4M3FN>)
    -> (tensor<4x2x4xbf16>, tensor<?x16x10xf8E4M3FN>) {
  %r:2 = mla.attention
      ins(
          q = %q : tensor<4x2x6xbf16>, c_kv = %c_kv : tensor<4x8xbf16>,
          k_pe = %k_pe : tensor<4x2xbf16>, w_kv_b = %w : tensor<2x8x8xbf16>,
          page_table = %pages : tensor<1x?xi32>, kv_lens = %lens : tensor<1xi32>,
          cu_q = %cu : tensor<2xi32>, cos_sin = %cos_sin : tensor<?x2xf32>,
          query_scale = %scale : tensor<f32>, latent_scale = %scale : tensor<f32>,
          pe_scale = %scale : tensor<f32>)
      outs(out = %out : tensor<4x2x4xbf16>, cache = %cache : tensor<?x16x10xf8E4M3FN>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<4x2x4xbf16>, tensor<?x16x10xf8E4M3FN>
}

// Rounded to bf16 on the way, by the rotation; nothing is f32.
// CHECK-LABEL: func.func @fp8_through_input_type(
// CHECK-NOT:     linalg.copy
// CHECK:         mla.rope {{.*}} outs(y = %{{.*}} : tensor<4x2x2xbf16>)
// CHECK:         mla.rope {{.*}} outs(y = %{{.*}} : tensor<4x2xbf16>)
// CHECK:         mla.append ins(c_kv = %{{.*}} : tensor<4x8xbf16>, k_pe = %{{.*}} : tensor<4x2xbf16>, {{.*}} {rounding = #mla.rounding<through_input_type>}
// CHECK:         mla.append ins(q_pe = %{{.*}} : tensor<4x2x2xbf16>, {{.*}} {rounding = #mla.rounding<through_input_type>}
func.func @fp8_through_input_type(
    %q: tensor<4x2x6xbf16>, %c_kv: tensor<4x8xbf16>, %k_pe: tensor<4x2xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<1x?xi32>, %lens: tensor<1xi32>,
    %cu: tensor<2xi32>, %cos_sin: tensor<?x2xf32>, %scale: tensor<f32>,
    %out: tensor<4x2x4xbf16>, %cache: tensor<?x16x10xf8E4M3FN>)
    -> (tensor<4x2x4xbf16>, tensor<?x16x10xf8E4M3FN>) {
  %r:2 = mla.attention
      ins(
          q = %q : tensor<4x2x6xbf16>, c_kv = %c_kv : tensor<4x8xbf16>,
          k_pe = %k_pe : tensor<4x2xbf16>, w_kv_b = %w : tensor<2x8x8xbf16>,
          page_table = %pages : tensor<1x?xi32>, kv_lens = %lens : tensor<1xi32>,
          cu_q = %cu : tensor<2xi32>, cos_sin = %cos_sin : tensor<?x2xf32>,
          latent_scale = %scale : tensor<f32>, pe_scale = %scale : tensor<f32>)
      outs(out = %out : tensor<4x2x4xbf16>, cache = %cache : tensor<?x16x10xf8E4M3FN>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64,
       rounding = #mla.rounding<through_input_type>}
  return %r#0, %r#1 : tensor<4x2x4xbf16>, tensor<?x16x10xf8E4M3FN>
}

// Nothing rotates; the query's positional columns are copied, and both say why.
// CHECK-LABEL: func.func @disabled(
// CHECK-NOT:     mla.rope ins
// CHECK:         mla.append ins(c_kv = %{{[^,]*}}, k_pe = %{{[^,]*}}, slots = %{{[^,]*}}) {{.*}} {mla.rope_off = "disabled in the rope attribute"}
// CHECK:         mla.append ins(q_pe = %{{[^,]*}}, cu_q = %{{[^,]*}}) {{.*}} {mla.rope_off = "disabled in the rope attribute"}
// CHECK-NOT:     mla.rope ins
func.func @disabled(
    %q: tensor<4x2x6xbf16>, %c_kv: tensor<4x8xbf16>, %k_pe: tensor<4x2xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<1x?xi32>, %lens: tensor<1xi32>,
    %cu: tensor<2xi32>, %out: tensor<4x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<4x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(
          q = %q : tensor<4x2x6xbf16>, c_kv = %c_kv : tensor<4x8xbf16>,
          k_pe = %k_pe : tensor<4x2xbf16>, w_kv_b = %w : tensor<2x8x8xbf16>,
          page_table = %pages : tensor<1x?xi32>, kv_lens = %lens : tensor<1xi32>,
          cu_q = %cu : tensor<2xi32>)
      outs(out = %out : tensor<4x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2, enabled = false>,
       softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<4x2x4xbf16>, tensor<?x16x10xbf16>
}

// absorb_q has made the query: there is nothing to assemble.
// CHECK-LABEL: func.func @zero_width(
// CHECK-NOT:     mla.rope
// CHECK:         mla.append ins(c_kv = %{{[^,]*}}, slots = %{{[^,]*}}) outs(cache = %{{.*}} : tensor<?x16x8xbf16>){{$}}
// CHECK-NOT:     mla.append
// CHECK:         mla.project_v
func.func @zero_width(
    %q: tensor<4x2x4xbf16>, %c_kv: tensor<4x8xbf16>, %w: tensor<2x8x8xbf16>,
    %pages: tensor<1x?xi32>, %lens: tensor<1xi32>, %cu: tensor<2xi32>,
    %out: tensor<4x2x4xbf16>, %cache: tensor<?x16x8xbf16>)
    -> (tensor<4x2x4xbf16>, tensor<?x16x8xbf16>) {
  %r:2 = mla.attention
      ins(
          q = %q : tensor<4x2x4xbf16>, c_kv = %c_kv : tensor<4x8xbf16>,
          w_kv_b = %w : tensor<2x8x8xbf16>, page_table = %pages : tensor<1x?xi32>,
          kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
      outs(out = %out : tensor<4x2x4xbf16>, cache = %cache : tensor<?x16x8xbf16>)
      {softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<4x2x4xbf16>, tensor<?x16x8xbf16>
}
