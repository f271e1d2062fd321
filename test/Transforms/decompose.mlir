// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-decompose | FileCheck %s

// Decomposed once, nothing is left to do.
// RUN: mla-opt %s --mla-decompose -o %t
// RUN: mla-opt %t --mla-decompose | diff %t -

// The query is one buffer: absorb_q writes its latent columns, append the others.
// CHECK-LABEL: func.func @rotated(
// CHECK-SAME:    %[[Q:[^:]*]]: tensor<?x2x6xbf16>, %[[C_KV:[^:]*]]: tensor<?x8xbf16>, %[[K_PE:[^:]*]]: tensor<?x2xbf16>, %[[W:[^:]*]]: tensor<2x8x8xbf16>, %[[PAGES:[^:]*]]: tensor<?x?xi32>, %[[LENS:[^:]*]]: tensor<?xi32>, %[[CU:[^:]*]]: tensor<?xi32>, %[[TABLE:[^:]*]]: tensor<?x2xf32>, %[[OUT:[^:]*]]: tensor<?x2x4xbf16>, %[[CACHE:[^:]*]]: tensor<?x16x10xbf16>)
// CHECK:         %[[T:.*]] = tensor.dim %[[Q]]
// CHECK:         %[[P0:.*]] = tensor.empty(%[[T]]) : tensor<?xi64>
// CHECK:         %[[S0:.*]] = tensor.empty(%[[T]]) : tensor<?xi64>
// CHECK:         %[[P:.*]], %[[S:.*]] = mla.slot_mapping ins(kv_lens = %[[LENS]] : tensor<?xi32>, cu_q = %[[CU]] : tensor<?xi32>, page_table = %[[PAGES]] : tensor<?x?xi32>) outs(positions = %[[P0]] : tensor<?xi64>, slots = %[[S0]] : tensor<?xi64>) {page_size = 16 : i64}
// CHECK-DAG:     %[[NOPE:.*]] = tensor.extract_slice %[[Q]][0, 0, 0] [%[[T]], 2, 4] [1, 1, 1]
// CHECK-DAG:     %[[W_UK:.*]] = tensor.extract_slice %[[W]][0, 0, 0] [2, 4, 8] [1, 1, 1]
// CHECK:         %[[QUERY0:.*]] = tensor.empty(%[[T]]) : tensor<?x2x10xbf16>
// CHECK:         %[[COLUMNS:.*]] = tensor.extract_slice %[[QUERY0]][0, 0, 0] [%[[T]], 2, 8] [1, 1, 1]
// CHECK:         %[[ABSORBED:.*]] = mla.absorb_q ins(q_nope = %[[NOPE]] : tensor<?x2x4xbf16>, w_uk = %[[W_UK]] : tensor<2x4x8xbf16>) outs(query = %[[COLUMNS]] : tensor<?x2x8xbf16>)
// CHECK:         %[[QUERY1:.*]] = tensor.insert_slice %[[ABSORBED]] into %[[QUERY0]][0, 0, 0] [%[[T]], 2, 8] [1, 1, 1]
// CHECK:         %[[Q_PE:.*]] = tensor.extract_slice %[[Q]][0, 0, 4] [%[[T]], 2, 2] [1, 1, 1]
// CHECK:         %[[QUERY:.*]], %[[NEW:.*]] = mla.append ins(c_kv = %[[C_KV]] : tensor<?x8xbf16>, k_pe = %[[K_PE]] : tensor<?x2xbf16>, q_pe = %[[Q_PE]] : tensor<?x2x2xbf16>, slots = %[[S]] : tensor<?xi64>, cos_sin = %[[TABLE]] : tensor<?x2xf32>, positions = %[[P]] : tensor<?xi64>, cu_q = %[[CU]] : tensor<?xi32>)
// CHECK-SAME:      outs(query = %[[QUERY1]] : tensor<?x2x10xbf16>, cache = %[[CACHE]] : tensor<?x16x10xbf16>)
// CHECK-SAME:      {model.layer = 7 : i64, phase = #mla.phase<generation>, rope = #mla.rope<interleaved, head_dim = 2>}
// CHECK:         %[[O0:.*]] = tensor.empty(%[[T]]) : tensor<?x2x8xbf16>
// CHECK:         %[[O:.*]] = mla.absorbed_attention ins(query = %[[QUERY]] : tensor<?x2x10xbf16>, cache = %[[NEW]] : tensor<?x16x10xbf16>, page_table = %[[PAGES]] : tensor<?x?xi32>, kv_lens = %[[LENS]] : tensor<?xi32>, cu_q = %[[CU]] : tensor<?xi32>) outs(o = %[[O0]] : tensor<?x2x8xbf16>) {softmax_scale = 5.000000e-01 : f64}
// CHECK:         %[[W_UV:.*]] = tensor.extract_slice %[[W]][0, 4, 0] [2, 4, 8] [1, 1, 1]
// CHECK:         %[[R:.*]] = mla.project_v ins(o_latent = %[[O]] : tensor<?x2x8xbf16>, w_uv = %[[W_UV]] : tensor<2x4x8xbf16>) outs(out = %[[OUT]] : tensor<?x2x4xbf16>)
// CHECK-NEXT:    return %[[R]], %[[NEW]]
func.func @rotated(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>, %cos_sin: tensor<?x2xf32>, %out: tensor<?x2x4xbf16>,
    %cache: tensor<?x16x10xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(
          q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w : tensor<2x8x8xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>, cos_sin = %cos_sin : tensor<?x2xf32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>, phase = #mla.phase<generation>,
       model.layer = 7 : i64, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xbf16>
}

// The operation's own positions rotate; the slots are computed all the same.
// CHECK-LABEL: func.func @half(
// CHECK-SAME:    %[[POSITIONS:[^:]*]]: tensor<?xi32>, %{{[^:]*}}: tensor<?x2x4xbf16>
// CHECK:         %{{.*}}, %[[S:.*]] = mla.slot_mapping
// CHECK:         mla.append {{.*}} slots = %[[S]] : tensor<?xi64>, {{.*}} positions = %[[POSITIONS]] : tensor<?xi32>, {{.*}}rope = #mla.rope<half, head_dim = 2>
func.func @half(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>, %cos_sin: tensor<?x2xf32>, %positions: tensor<?xi32>,
    %out: tensor<?x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(
          q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w : tensor<2x8x8xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>, cos_sin = %cos_sin : tensor<?x2xf32>,
          positions = %positions : tensor<?xi32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<half, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xbf16>
}

// The positional part stays; the table and the positions are not there.
// CHECK-LABEL: func.func @unrotated(
// CHECK:         mla.slot_mapping
// CHECK:         mla.absorb_q
// CHECK:         mla.append ins(c_kv = %{{[^,]*}}, k_pe = %{{[^,]*}}, q_pe = %{{[^,]*}}, slots = %{{[^,]*}}, cu_q = %{{[^,]*}}) outs(query = %{{.*}} : tensor<?x2x10xbf16>, cache = %{{.*}} : tensor<?x16x10xbf16>){{$}}
// CHECK:         mla.absorbed_attention
// CHECK:         mla.project_v
func.func @unrotated(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>, %out: tensor<?x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(
          q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w : tensor<2x8x8xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xbf16>
}

// A rope that isn't live is dropped, and append says why.
// CHECK-LABEL: func.func @disabled(
// CHECK:         mla.append ins(c_kv = %{{[^,]*}}, k_pe = %{{[^,]*}}, q_pe = %{{[^,]*}}, slots = %{{[^,]*}}, cu_q = %{{[^,]*}})
// CHECK-SAME:      {mla.rope_off = "disabled in the rope attribute"}{{$}}
func.func @disabled(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>, %cos_sin: tensor<?x2xf32>, %out: tensor<?x2x4xbf16>,
    %cache: tensor<?x16x10xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(
          q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w : tensor<2x8x8xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>, cos_sin = %cos_sin : tensor<?x2xf32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2, enabled = false>,
       softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xbf16>
}

// absorb_q writes the whole query, from the whole of q; nothing has width zero.
// CHECK-LABEL: func.func @zero_width(
// CHECK-SAME:    %[[Q:[^:]*]]: tensor<?x2x4xbf16>,
// CHECK:         mla.slot_mapping
// CHECK-NOT:     tensor.insert_slice
// CHECK:         %[[QUERY0:.*]] = tensor.empty({{.*}}) : tensor<?x2x8xbf16>
// CHECK:         %[[QUERY:.*]] = mla.absorb_q ins(q_nope = %[[Q]] : tensor<?x2x4xbf16>, w_uk = %{{.*}}) outs(query = %[[QUERY0]] : tensor<?x2x8xbf16>)
// CHECK:         %[[NEW:.*]] = mla.append ins(c_kv = %{{[^,]*}}, slots = %{{[^,]*}}) outs(cache = %{{.*}} : tensor<?x16x8xbf16>){{$}}
// CHECK:         mla.absorbed_attention ins(query = %[[QUERY]] : tensor<?x2x8xbf16>, cache = %[[NEW]] : tensor<?x16x8xbf16>
// CHECK:         mla.project_v
func.func @zero_width(
    %q: tensor<?x2x4xbf16>, %c_kv: tensor<?x8xbf16>, %w: tensor<2x8x8xbf16>,
    %pages: tensor<?x?xi32>, %lens: tensor<?xi32>, %cu: tensor<?xi32>,
    %out: tensor<?x2x4xbf16>, %cache: tensor<?x16x8xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x8xbf16>) {
  %r:2 = mla.attention
      ins(
          q = %q : tensor<?x2x4xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          w_kv_b = %w : tensor<2x8x8xbf16>, page_table = %pages : tensor<?x?xi32>,
          kv_lens = %lens : tensor<?xi32>, cu_q = %cu : tensor<?xi32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x8xbf16>)
      {softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x8xbf16>
}

// CHECK-LABEL: func.func @zero_head_dim(
// CHECK:         mla.append ins(c_kv = %{{[^,]*}}, slots = %{{[^,]*}}) {{.*}} {mla.rope_off = "head_dim = 0"}
func.func @zero_head_dim(
    %q: tensor<?x2x4xbf16>, %c_kv: tensor<?x8xbf16>, %w: tensor<2x8x8xbf16>,
    %pages: tensor<?x?xi32>, %lens: tensor<?xi32>, %cu: tensor<?xi32>,
    %out: tensor<?x2x4xbf16>, %cache: tensor<?x16x8xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x8xbf16>) {
  %r:2 = mla.attention
      ins(
          q = %q : tensor<?x2x4xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          w_kv_b = %w : tensor<2x8x8xbf16>, page_table = %pages : tensor<?x?xi32>,
          kv_lens = %lens : tensor<?xi32>, cu_q = %cu : tensor<?xi32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x8xbf16>)
      {rope = #mla.rope<half, head_dim = 0>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x8xbf16>
}

// CHECK-LABEL: func.func @topk_sinks(
// CHECK-SAME:    %[[SINKS:[^:]*]]: tensor<2xf32>, %[[INDICES:[^:]*]]: tensor<?x3xi32>, %[[MAX:[^:]*]]: index
// CHECK-NOT:     sinks
// CHECK:         mla.absorbed_attention ins({{.*}}sinks = %[[SINKS]] : tensor<2xf32>, indices = %[[INDICES]] : tensor<?x3xi32>, max_kv = %[[MAX]] : index)
func.func @topk_sinks(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>, %sinks: tensor<2xf32>, %indices: tensor<?x3xi32>,
    %max_kv: index, %out: tensor<?x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(
          q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w : tensor<2x8x8xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>, sinks = %sinks : tensor<2xf32>,
          indices = %indices : tensor<?x3xi32>, max_kv = %max_kv : index)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xbf16>
}

// The query stays as it was; the scales go where the cache is written and read.
// CHECK-LABEL: func.func @fp8_cache(
// CHECK-SAME:    %[[LATENT:[^:]*]]: tensor<f32>, %[[PE:[^:]*]]: tensor<f32>
// CHECK:         mla.append ins({{.*}}latent_scale = %[[LATENT]] : tensor<f32>, pe_scale = %[[PE]] : tensor<f32>) outs(query = %{{.*}} : tensor<?x2x10xbf16>, cache = %{{.*}} : tensor<?x16x10xf8E4M3FN>)
// CHECK-SAME:      {rounding = #mla.rounding<through_input_type>}
// CHECK:         mla.absorbed_attention ins(query = %{{.*}} : tensor<?x2x10xbf16>, {{.*}}latent_scale = %[[LATENT]] : tensor<f32>, pe_scale = %[[PE]] : tensor<f32>)
func.func @fp8_cache(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>, %latent_scale: tensor<f32>, %pe_scale: tensor<f32>,
    %out: tensor<?x2x4xbf16>, %cache: tensor<?x16x10xf8E4M3FN>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xf8E4M3FN>) {
  %r:2 = mla.attention
      ins(
          q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w : tensor<2x8x8xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>, latent_scale = %latent_scale : tensor<f32>,
          pe_scale = %pe_scale : tensor<f32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xf8E4M3FN>)
      {rounding = #mla.rounding<through_input_type>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xf8E4M3FN>
}

// A quantized query is assembled from a buffer of its own.
// CHECK-LABEL: func.func @fp8_query(
// CHECK-SAME:    %[[QS:[^:]*]]: tensor<f32>, %[[LATENT:[^:]*]]: tensor<f32>, %[[PE:[^:]*]]: tensor<f32>
// CHECK:         %[[BUFFER:.*]] = tensor.empty({{.*}}) : tensor<?x2x8xbf16>
// CHECK:         %[[NOPE:.*]] = mla.absorb_q {{.*}} outs(query = %[[BUFFER]] : tensor<?x2x8xbf16>)
// CHECK-NOT:     tensor.insert_slice
// CHECK:         %[[QUERY0:.*]] = tensor.empty({{.*}}) : tensor<?x2x10xf8E4M3FN>
// CHECK:         %[[QUERY:.*]], %{{.*}} = mla.append ins({{.*}}q_nope = %[[NOPE]] : tensor<?x2x8xbf16>, q_pe = %{{.*}}, query_scale = %[[QS]] : tensor<f32>, latent_scale = %[[LATENT]] : tensor<f32>, pe_scale = %[[PE]] : tensor<f32>) outs(query = %[[QUERY0]] : tensor<?x2x10xf8E4M3FN>
// CHECK:         mla.absorbed_attention ins(query = %[[QUERY]] : tensor<?x2x10xf8E4M3FN>, {{.*}}query_scale = %[[QS]] : tensor<f32>, {{.*}}outs(o = %{{.*}} : tensor<?x2x8xbf16>)
func.func @fp8_query(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>, %cos_sin: tensor<?x2xf32>, %query_scale: tensor<f32>,
    %latent_scale: tensor<f32>, %pe_scale: tensor<f32>, %out: tensor<?x2x4xbf16>,
    %cache: tensor<?x16x10xf8E4M3FN>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xf8E4M3FN>) {
  %r:2 = mla.attention
      ins(
          q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w : tensor<2x8x8xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>, cos_sin = %cos_sin : tensor<?x2xf32>,
          query_scale = %query_scale : tensor<f32>,
          latent_scale = %latent_scale : tensor<f32>,
          pe_scale = %pe_scale : tensor<f32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xf8E4M3FN>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xf8E4M3FN>
}

// CHECK-LABEL: func.func @fp8_zero_width(
// CHECK:         mla.append ins(c_kv = %{{[^,]*}}, q_nope = %{{[^,]*}}, slots = %{{[^,]*}}, cu_q = %{{[^,]*}}, query_scale = %{{[^,]*}}, latent_scale = %{{[^,]*}}) outs(query = %{{.*}} : tensor<?x2x8xf8E4M3FN>, cache
func.func @fp8_zero_width(
    %q: tensor<?x2x4xbf16>, %c_kv: tensor<?x8xbf16>, %w: tensor<2x8x8xbf16>,
    %pages: tensor<?x?xi32>, %lens: tensor<?xi32>, %cu: tensor<?xi32>,
    %query_scale: tensor<f32>, %latent_scale: tensor<f32>, %out: tensor<?x2x4xbf16>,
    %cache: tensor<?x16x8xf8E4M3FN>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x8xf8E4M3FN>) {
  %r:2 = mla.attention
      ins(
          q = %q : tensor<?x2x4xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          w_kv_b = %w : tensor<2x8x8xbf16>, page_table = %pages : tensor<?x?xi32>,
          kv_lens = %lens : tensor<?xi32>, cu_q = %cu : tensor<?xi32>,
          query_scale = %query_scale : tensor<f32>,
          latent_scale = %latent_scale : tensor<f32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x8xf8E4M3FN>)
      {softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x8xf8E4M3FN>
}

// CHECK-LABEL: func.func @static_tokens(
// CHECK-NOT:     tensor.dim
// CHECK:         mla.slot_mapping {{.*}} outs(positions = %{{.*}} : tensor<3xi64>
// CHECK:         return
func.func @static_tokens(
    %q: tensor<3x2x6xbf16>, %c_kv: tensor<3x8xbf16>, %k_pe: tensor<3x2xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>, %out: tensor<3x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<3x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(
          q = %q : tensor<3x2x6xbf16>, c_kv = %c_kv : tensor<3x8xbf16>,
          k_pe = %k_pe : tensor<3x2xbf16>, w_kv_b = %w : tensor<2x8x8xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>)
      outs(out = %out : tensor<3x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<3x2x4xbf16>, tensor<?x16x10xbf16>
}

// A function without attention stays as it is.
// CHECK-LABEL: func.func @without(
// CHECK-NEXT:    %[[R:.*]] = mla.absorb_q
// CHECK-NEXT:    return %[[R]]
func.func @without(%q: tensor<?x2x4xbf16>, %w: tensor<2x4x8xbf16>,
    %o: tensor<?x2x8xbf16>) -> tensor<?x2x8xbf16> {
  %r = mla.absorb_q
      ins(q_nope = %q : tensor<?x2x4xbf16>, w_uk = %w : tensor<2x4x8xbf16>)
      outs(query = %o : tensor<?x2x8xbf16>)
  return %r : tensor<?x2x8xbf16>
}
