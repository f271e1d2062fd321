// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-decompose --split-input-file | FileCheck %s

// Which operand of the attention goes where. Every one has its own name, and widths
// that no two share: L = 16, N = 6, R = 4, V = 10.

// CHECK-LABEL: func.func @quantized(
// CHECK-SAME:    %[[Q:[^:]+]]: tensor<?x2x10xbf16>, %[[C_KV:[^:]+]]: tensor<?x16xbf16>
// CHECK-SAME:    %[[K_PE:[^:]+]]: tensor<?x4xbf16>, %[[W:[^:]+]]: tensor<2x16x16xbf16>
// CHECK-SAME:    %[[PAGES:[^:]+]]: tensor<?x?xi32>, %[[KV_LENS:[^:]+]]: tensor<?xi32>
// CHECK-SAME:    %[[CU_Q:[^:]+]]: tensor<?xi32>
// CHECK-SAME:    %[[QUERY_SCALE:[^:]+]]: tensor<f32>
// CHECK-SAME:    %[[LATENT_SCALE:[^:]+]]: tensor<f32>
// CHECK-SAME:    %[[PE_SCALE:[^:]+]]: tensor<f32>
// CHECK-SAME:    %[[OUT:[^:]+]]: tensor<?x2x10xbf16>, %[[CACHE:[^:]+]]: tensor<?x8x20xf8E4M3FN>)
// CHECK:         %{{[^ ]+}}, %[[SLOTS:[^ ]+]] = mla.slot_mapping
// CHECK-SAME:      kv_lens = %[[KV_LENS]] : {{.*}}cu_q = %[[CU_Q]] : {{.*}}page_table = %[[PAGES]] :
// CHECK:         %[[Q_NOPE:.+]] = tensor.extract_slice %[[Q]][0, 0, 0] [%{{.+}}, 2, 6] [1, 1, 1]
// CHECK:         %[[W_UK:.+]] = tensor.extract_slice %[[W]][0, 0, 0] [2, 6, 16] [1, 1, 1]
// CHECK:         %[[ABSORBED:.+]] = mla.absorb_q
// CHECK-SAME:      q_nope = %[[Q_NOPE]] : {{.*}} = %[[W_UK]] :
// CHECK:         %[[Q_PE:.+]] = tensor.extract_slice %[[Q]][0, 0, 6] [%{{.+}}, 2, 4] [1, 1, 1]
// CHECK:         %[[QUERY:[^ ]+]], %[[NEW_CACHE:[^ ]+]] = mla.append
// CHECK-SAME:      c_kv = %[[C_KV]] :
// CHECK-SAME:      k_pe = %[[K_PE]] :
// CHECK-SAME:      q_nope = %[[ABSORBED]] :
// CHECK-SAME:      q_pe = %[[Q_PE]] :
// CHECK-SAME:      slots = %[[SLOTS]] :
// CHECK-SAME:      cu_q = %[[CU_Q]] :
// CHECK-SAME:      query_scale = %[[QUERY_SCALE]] :
// CHECK-SAME:      latent_scale = %[[LATENT_SCALE]] :
// CHECK-SAME:      pe_scale = %[[PE_SCALE]] :
// CHECK-SAME:      cache = %[[CACHE]] :
// CHECK:         %[[O:.+]] = mla.absorbed_attention
// CHECK-SAME:      query = %[[QUERY]] : tensor<?x2x20xf8E4M3FN>
// CHECK-SAME:      cache = %[[NEW_CACHE]] :
// CHECK-SAME:      page_table = %[[PAGES]] :
// CHECK-SAME:      kv_lens = %[[KV_LENS]] :
// CHECK-SAME:      cu_q = %[[CU_Q]] :
// CHECK-SAME:      query_scale = %[[QUERY_SCALE]] :
// CHECK-SAME:      latent_scale = %[[LATENT_SCALE]] :
// CHECK-SAME:      pe_scale = %[[PE_SCALE]] :
// CHECK-SAME:      softmax_scale = 5.000000e-01
// CHECK:         %[[W_UV:.+]] = tensor.extract_slice %[[W]][0, 6, 0] [2, 10, 16] [1, 1, 1]
// CHECK:         %[[PROJECTED:.+]] = mla.project_v
// CHECK-SAME:      %[[O]] : {{.*}} = %[[W_UV]] : {{.*}}outs({{.*}} = %[[OUT]] :
// CHECK:         return %[[PROJECTED]], %[[NEW_CACHE]]
func.func @quantized(
    %q: tensor<?x2x10xbf16>, %c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
    %w: tensor<2x16x16xbf16>, %pages: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
    %cu_q: tensor<?xi32>, %query_scale: tensor<f32>, %latent_scale: tensor<f32>,
    %pe_scale: tensor<f32>, %out: tensor<?x2x10xbf16>, %cache: tensor<?x8x20xf8E4M3FN>)
    -> (tensor<?x2x10xbf16>, tensor<?x8x20xf8E4M3FN>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x10xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>, w_kv_b = %w : tensor<2x16x16xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %kv_lens : tensor<?xi32>,
          cu_q = %cu_q : tensor<?xi32>, query_scale = %query_scale : tensor<f32>,
          latent_scale = %latent_scale : tensor<f32>, pe_scale = %pe_scale : tensor<f32>)
      outs(out = %out : tensor<?x2x10xbf16>, cache = %cache : tensor<?x8x20xf8E4M3FN>)
      {softmax_scale = 0.5}
  return %r#0, %r#1 : tensor<?x2x10xbf16>, tensor<?x8x20xf8E4M3FN>
}

// -----

// A query that is not quantized grows around the absorbed columns; positions that are
// given rotate, the slots are still the mapping's.

// CHECK-LABEL: func.func @rotated(
// CHECK-SAME:    %[[TABLE:[^:]+]]: tensor<?x4xf32>, %[[POSITIONS:[^:]+]]: tensor<?xi64>
// CHECK-SAME:    %[[SINKS:[^:]+]]: tensor<2xf32>, %[[INDICES:[^:]+]]: tensor<?x7xi32>
// CHECK:         %{{[^ ]+}}, %[[SLOTS:[^ ]+]] = mla.slot_mapping
// CHECK:         %[[LATENT_COLUMNS:.+]] = tensor.extract_slice %[[EMPTY:.+]][0, 0, 0] [%{{.+}}, 2, 16] [1, 1, 1]
// CHECK:         %[[ABSORBED:.+]] = mla.absorb_q
// CHECK-SAME:      outs({{.*}} = %[[LATENT_COLUMNS]] :
// CHECK:         %[[QUERY:.+]] = tensor.insert_slice %[[ABSORBED]] into %[[EMPTY]][0, 0, 0] [%{{.+}}, 2, 16] [1, 1, 1]
// CHECK:         mla.append
// CHECK-NOT:       q_nope
// CHECK-SAME:      slots = %[[SLOTS]] :
// CHECK-SAME:      cos_sin = %[[TABLE]] :
// CHECK-SAME:      positions = %[[POSITIONS]] :
// CHECK-SAME:      outs(query = %[[QUERY]] : tensor<?x2x20xf32>
// CHECK-SAME:      phase = #mla.phase<generation>
// CHECK-SAME:      rope = #mla.rope<half, head_dim = 4>
// CHECK:         mla.absorbed_attention
// CHECK-SAME:      sinks = %[[SINKS]] :
// CHECK-SAME:      indices = %[[INDICES]] :
func.func @rotated(
    %table: tensor<?x4xf32>, %positions: tensor<?xi64>, %sinks: tensor<2xf32>,
    %indices: tensor<?x7xi32>,
    %q: tensor<?x2x10xf32>, %c_kv: tensor<?x16xf32>, %k_pe: tensor<?x4xf32>,
    %w: tensor<2x16x16xf32>, %pages: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
    %cu_q: tensor<?xi32>, %out: tensor<?x2x10xf32>, %cache: tensor<?x8x20xf32>)
    -> (tensor<?x2x10xf32>, tensor<?x8x20xf32>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x10xf32>, c_kv = %c_kv : tensor<?x16xf32>,
          k_pe = %k_pe : tensor<?x4xf32>, w_kv_b = %w : tensor<2x16x16xf32>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %kv_lens : tensor<?xi32>,
          cu_q = %cu_q : tensor<?xi32>, cos_sin = %table : tensor<?x4xf32>,
          positions = %positions : tensor<?xi64>, sinks = %sinks : tensor<2xf32>,
          indices = %indices : tensor<?x7xi32>)
      outs(out = %out : tensor<?x2x10xf32>, cache = %cache : tensor<?x8x20xf32>)
      {rope = #mla.rope<half, head_dim = 4>, softmax_scale = 0.5,
       phase = #mla.phase<generation>}
  return %r#0, %r#1 : tensor<?x2x10xf32>, tensor<?x8x20xf32>
}
