// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-decompose=form=expanded --split-input-file | FileCheck %s --check-prefixes=CHECK,ONCE
// RUN: mla-opt %s --mla-decompose="form=expanded chunk-length=24" --split-input-file | FileCheck %s --check-prefixes=CHECK,CHUNK

// All keys are appended, then all are read back: gather, expand, attend. With a length
// of chunks in a loop over windows, merging into a state in f32.

// CHECK-LABEL: func.func @rotated(
// CHECK-SAME:    %[[Q:[^:]+]]: tensor<?x2x6xbf16>, %[[C_KV:[^:]+]]: tensor<?x8xbf16>
// CHECK-SAME:    %[[W:[^:]+]]: tensor<2x8x8xbf16>
// CHECK-SAME:    %[[PAGES:[^:]+]]: tensor<?x?xi32>, %[[LENS:[^:]+]]: tensor<?xi32>, %[[CU:[^:]+]]: tensor<?xi32>
// CHECK-SAME:    %[[OUT:[^:]+]]: tensor<?x2x4xbf16>, %[[CACHE0:[^:]+]]: tensor<?x16x10xbf16>
// CHECK:         %[[POSITIONS:.+]], %[[SLOTS:.+]] = mla.slot_mapping
// CHECK:         %[[NOPE:.+]] = tensor.extract_slice %[[Q]][0, 0, 0] [%{{.+}}, 2, 4]
// CHECK:         %[[PE:.+]] = tensor.extract_slice %[[Q]][0, 0, 4] [%{{.+}}, 2, 2]
// CHECK:         %[[QUERY:.+]], %[[CACHE:.+]] = mla.append
// CHECK-SAME:      q_nope = %[[NOPE]] : {{.*}}q_pe = %[[PE]] : {{.*}}slots = %[[SLOTS]] : {{.*}}positions = %[[POSITIONS]] :
// CHECK-SAME:      outs(query = %{{.+}} : tensor<?x2x6xbf16>, cache = %[[CACHE0]] :
// The window reaches as far as the page table, and holds one key at least.
// CHECK:         %[[K:.+]] = tensor.dim %[[PAGES]], %c1
// CHECK:         %[[REACH:.+]] = arith.muli %[[K]], %c16
// CHECK:         %[[M:.+]] = arith.maxui %[[REACH]], %c1
// ONCE:          %[[ROWS:.+]] = arith.muli %{{.+}}, %[[M]]
// ONCE:          %[[C_INIT:.+]] = tensor.empty(%[[ROWS]]) : tensor<?x8xbf16>
// ONCE:          %[[PE_INIT:.+]] = tensor.empty(%[[ROWS]]) : tensor<?x2xbf16>
// ONCE:          %[[KV_INIT:.+]] = tensor.empty(%[[ROWS]]) : tensor<?x2x8xbf16>
// ONCE:          %[[C:.+]], %[[K_PE:.+]] = mla.gather_kv ins(cache = %[[CACHE]] : {{.*}}page_table = %[[PAGES]] : {{.*}}kv_lens = %[[LENS]] : {{.*}}window_length = %[[M]] : index) outs(c_kv = %[[C_INIT]] : tensor<?x8xbf16>, k_pe = %[[PE_INIT]] :
// ONCE:          %[[KV:.+]] = mla.expand_kv ins(c_kv = %[[C]] : {{.*}}w_kv_b = %[[W]] : {{.*}} outs(kv = %[[KV_INIT]] :
// ONCE:          %[[K_NOPE:.+]] = tensor.extract_slice %[[KV]][0, 0, 0] [%{{.+}}, 2, 4]
// ONCE:          %[[V:.+]] = tensor.extract_slice %[[KV]][0, 0, 4] [%{{.+}}, 2, 4]
// ONCE:          %[[O:.+]] = mla.expanded_attention ins(q = %[[QUERY]] : {{.*}}k_nope = %[[K_NOPE]] : {{.*}}k_pe = %[[K_PE]] : {{.*}}v = %[[V]] : {{.*}}cu_q = %[[CU]] : {{.*}}kv_lens = %[[LENS]] : tensor<?xi32>, window_length = %[[M]] : index) outs(o = %[[OUT]] : tensor<?x2x4xbf16>) {causal, softmax_scale = 5.000000e-01 : f64}
// ONCE:          return %[[O]], %[[CACHE]]
// Windows of one length, no longer than needed: M / ceil(M / 24), rounded up.
// CHUNK:         %[[N0:.+]] = arith.addi %[[M]], %c23
// CHUNK:         %[[N:.+]] = arith.divui %[[N0]], %c24
// CHUNK:         %[[N1:.+]] = arith.subi %[[N]], %c1
// CHUNK:         %[[M1:.+]] = arith.addi %[[M]], %[[N1]]
// CHUNK:         %[[LENGTH:.+]] = arith.divui %[[M1]], %[[N]]
// CHUNK:         %[[ROWS:.+]] = arith.muli %{{.+}}, %[[LENGTH]]
// CHUNK:         %[[C_INIT:.+]] = tensor.empty(%[[ROWS]]) : tensor<?x8xbf16>
// CHUNK:         %[[PE_INIT:.+]] = tensor.empty(%[[ROWS]]) : tensor<?x2xbf16>
// CHUNK:         %[[KV_INIT:.+]] = tensor.empty(%[[ROWS]]) : tensor<?x2x8xbf16>
// CHUNK:         %[[O_INIT:.+]] = tensor.empty(%{{.+}}) : tensor<?x2x4xf32>
// CHUNK:         %[[LSE_INIT:.+]] = tensor.empty(%{{.+}}) : tensor<?x2xf32>
// CHUNK:         %[[ALL0:.+]] = tensor.empty(%{{.+}}) : tensor<?x2x4xf32>
// CHUNK:         %[[SUM0:.+]] = tensor.empty(%{{.+}}) : tensor<?x2xf32>
// CHUNK:         %[[MINUS_INF:.+]] = arith.constant 0xFF800000 : f32
// CHUNK:         %[[SUM1:.+]] = linalg.fill ins(%[[MINUS_INF]] : f32) outs(%[[SUM0]] :
// CHUNK:         %[[ALL1:.+]] = linalg.fill ins(%{{.+}} : f32) outs(%[[ALL0]] :
// CHUNK:         %[[STATE:.+]]:2 = scf.for %[[START:.+]] = %{{.+}} to %[[M]] step %[[LENGTH]] iter_args(%[[ALL:.+]] = %[[ALL1]], %[[SUM:.+]] = %[[SUM1]])
// CHUNK-NOT:       tensor.empty
// CHUNK:           %[[C:.+]], %[[K_PE:.+]] = mla.gather_kv ins(cache = %[[CACHE]] : {{.*}}window_start = %[[START]] : index, window_length = %[[LENGTH]] : index) outs(c_kv = %[[C_INIT]] : {{.*}}k_pe = %[[PE_INIT]] :
// CHUNK:           %[[KV:.+]] = mla.expand_kv ins(c_kv = %[[C]] : {{.*}} outs(kv = %[[KV_INIT]] :
// CHUNK:           %[[O:.+]], %[[LSE:.+]] = mla.expanded_attention ins(q = %[[QUERY]] : {{.*}}k_pe = %[[K_PE]] : {{.*}}window_start = %[[START]] : index, window_length = %[[LENGTH]] : index) outs(o = %[[O_INIT]] : tensor<?x2x4xf32>, lse = %[[LSE_INIT]] :
// CHUNK-DAG:       %[[OS:.+]] = tensor.expand_shape %[[O]] {{.*}} into tensor<1x?x2x4xf32>
// CHUNK-DAG:       %[[LSES:.+]] = tensor.expand_shape %[[LSE]] {{.*}} into tensor<1x?x2xf32>
// CHUNK:           %[[ALL2:.+]], %[[SUM2:.+]] = mla.merge_states ins(o_states = %[[OS]] : {{.*}}lse_states = %[[LSES]] : {{.*}} outs(o = %[[ALL]] : {{.*}}lse = %[[SUM]] :
// CHUNK:           scf.yield %[[ALL2]], %[[SUM2]]
// CHUNK:         %[[RESULT:.+]] = linalg.copy ins(%[[STATE]]#0 : tensor<?x2x4xf32>) outs(%[[OUT]] : tensor<?x2x4xbf16>)
// CHUNK:         return %[[RESULT]], %[[CACHE]]
func.func @rotated(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<?x?xi32>,
    %kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>, %cos_sin: tensor<?x2xf32>,
    %out: tensor<?x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xbf16>
}

// -----

// A destination in f32 is the state.
// CHECK-LABEL: func.func @in_f32(
// CHECK-SAME:    %[[OUT:[^: ]+]]: tensor<?x2x4xf32>, %{{[^:]+}}: tensor<?x16x10xf32>)
// ONCE:          mla.expanded_attention {{.*}} outs(o = %[[OUT]] :
// CHUNK:         %[[ZERO:.+]] = linalg.fill ins(%{{.+}} : f32) outs(%[[OUT]] :
// CHUNK:         %[[STATE:.+]]:2 = scf.for {{.*}} iter_args(%{{.+}} = %[[ZERO]],
// CHUNK-NOT:     linalg.copy
// CHUNK:         return %[[STATE]]#0,
func.func @in_f32(
    %q: tensor<?x2x6xf32>, %c_kv: tensor<?x8xf32>, %k_pe: tensor<?x2xf32>,
    %w_kv_b: tensor<2x8x8xf32>, %page_table: tensor<?x?xi32>,
    %kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>, %cos_sin: tensor<?x2xf32>,
    %out: tensor<?x2x4xf32>, %cache: tensor<?x16x10xf32>)
    -> (tensor<?x2x4xf32>, tensor<?x16x10xf32>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x6xf32>, c_kv = %c_kv : tensor<?x8xf32>,
          k_pe = %k_pe : tensor<?x2xf32>, w_kv_b = %w_kv_b : tensor<2x8x8xf32>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>)
      outs(out = %out : tensor<?x2x4xf32>, cache = %cache : tensor<?x16x10xf32>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xf32>, tensor<?x16x10xf32>
}

// -----

// Where nothing rotates, q is the query, whole and uncopied, and append writes the cache
// alone.
// CHECK-LABEL: func.func @unrotated(
// CHECK-SAME:    %[[Q:[^:]+]]: tensor<?x2x6xbf16>
// CHECK-NOT:     tensor.extract_slice %[[Q]]
// CHECK:         mla.append ins(c_kv = %{{[^,]+}}, k_pe = %{{[^,]+}}, slots = %{{[^,]+}}) outs(cache =
// CHECK:         mla.expanded_attention ins(q = %[[Q]] :
func.func @unrotated(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<?x?xi32>,
    %kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>, %out: tensor<?x2x4xbf16>,
    %cache: tensor<?x16x10xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xbf16>
}

// -----

// The same with a rope that is off, and append says so.
// CHECK-LABEL: func.func @disabled(
// CHECK-SAME:    %[[Q:[^:]+]]: tensor<?x2x6xbf16>
// CHECK:         mla.append ins(c_kv = %{{[^,]+}}, k_pe = %{{[^,]+}}, slots = %{{[^,]+}}) outs(cache = {{.*}} {mla.rope_off = "disabled in the rope attribute"}
// CHECK:         mla.expanded_attention ins(q = %[[Q]] :
func.func @disabled(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<?x?xi32>,
    %kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>, %cos_sin: tensor<?x2xf32>,
    %out: tensor<?x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<half, head_dim = 2, enabled = false>,
          softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xbf16>
}

// -----

// No positional part at all: nothing of width zero.
// CHECK-LABEL: func.func @zero_width(
// CHECK-SAME:    %[[Q:[^:]+]]: tensor<?x2x4xbf16>
// CHECK-NOT:     x0x
// CHECK:         mla.append ins(c_kv = %{{[^,]+}}, slots = %{{[^,]+}}) outs(cache =
// CHECK:         %[[C:.+]] = mla.gather_kv {{.*}} outs(c_kv = %{{[^,]+}})
// CHECK:         mla.expanded_attention ins(q = %[[Q]] : {{.*}}k_nope = %{{[^,]+}}, v =
// CHECK:         return
func.func @zero_width(
    %q: tensor<?x2x4xbf16>, %c_kv: tensor<?x8xbf16>, %w_kv_b: tensor<2x8x8xbf16>,
    %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
    %out: tensor<?x2x4xbf16>, %cache: tensor<?x16x8xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x8xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x4xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x8xbf16>)
      {softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x8xbf16>
}

// -----

// A half-style rope, the caller's positions.
// CHECK-LABEL: func.func @half(
// CHECK-SAME:    %[[TABLE:[^:]+]]: tensor<?x2xf32>, %[[POSITIONS:[^:]+]]: tensor<?xi64>
// CHECK:         mla.append {{.*}}cos_sin = %[[TABLE]] : {{.*}}positions = %[[POSITIONS]] : {{.*}} {rope = #mla.rope<half, head_dim = 2>}
// CHECK:         mla.expanded_attention
func.func @half(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<?x?xi32>,
    %kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>, %cos_sin: tensor<?x2xf32>,
    %positions: tensor<?xi64>, %out: tensor<?x2x4xbf16>,
    %cache: tensor<?x16x10xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>,
          positions = %positions : tensor<?xi64>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<half, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xbf16>
}

// -----

// Sinks are applied once: by the only call, or in the state that the windows start from.
// The hint, 0 where unknown, bounds the windows; gather_kv reports where it is wrong.
// CHECK-LABEL: func.func @topk_sinks(
// CHECK-SAME:    %[[SINKS:[^:]+]]: tensor<2xf32>, %[[INDICES:[^:]+]]: tensor<?x3xi32>, %[[HINT:[^:]+]]: index
// CHECK:         %[[REACH:.+]] = arith.muli %{{.+}}, %c16
// CHECK:         %[[UNKNOWN:.+]] = arith.cmpi eq, %[[HINT]], %c0
// CHECK:         %[[BOUND:.+]] = arith.select %[[UNKNOWN]], %[[REACH]], %[[HINT]]
// CHECK:         %[[LEAST:.+]] = arith.minui %[[BOUND]], %[[REACH]]
// CHECK:         %[[M:.+]] = arith.maxui %[[LEAST]],
// ONCE:          mla.gather_kv {{.*}}window_length = %[[M]] : index, max_kv = %[[HINT]] : index)
// ONCE:          mla.expanded_attention {{.*}}sinks = %[[SINKS]] : {{.*}}indices = %[[INDICES]] :
// CHUNK:         %[[SUM:.+]] = linalg.broadcast ins(%[[SINKS]] : tensor<2xf32>) outs(%{{.+}} : tensor<?x2xf32>) dimensions = [0]
// CHUNK:         scf.for {{.*}} to %[[M]] {{.*}} iter_args(%{{.+}} = %{{.+}}, %{{.+}} = %[[SUM]])
// CHUNK-NOT:     sinks
// CHUNK:         mla.gather_kv {{.*}}max_kv = %[[HINT]] : index)
// CHUNK-NOT:     sinks
// CHUNK:         mla.expanded_attention {{.*}}kv_lens = %{{[^ ]+}} : tensor<?xi32>, indices = %[[INDICES]] :
func.func @topk_sinks(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<?x?xi32>,
    %kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>, %cos_sin: tensor<?x2xf32>,
    %sinks: tensor<2xf32>, %indices: tensor<?x3xi32>,
    %max_kv: index, %out: tensor<?x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>, sinks = %sinks : tensor<2xf32>,
          indices = %indices : tensor<?x3xi32>, max_kv = %max_kv : index)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xbf16>
}

// -----

// An fp8 cache is dequantized when it is gathered.
// CHECK-LABEL: func.func @fp8_cache(
// CHECK-SAME:    %[[LATENT:[^:]+]]: tensor<f32>, %[[PE:[^:]+]]: tensor<f32>
// CHECK:         mla.append {{.*}}latent_scale = %[[LATENT]] : tensor<f32>, pe_scale = %[[PE]] : tensor<f32>)
// CHECK:         mla.gather_kv ins(cache = %{{.+}} : tensor<?x16x10xf8E4M3FN>, {{.*}}latent_scale = %[[LATENT]] : tensor<f32>, pe_scale = %[[PE]] : {{.*}} outs(c_kv = %{{.+}} : tensor<?x8xbf16>, k_pe = %{{.+}} : tensor<?x2xbf16>)
func.func @fp8_cache(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<?x?xi32>,
    %kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>, %cos_sin: tensor<?x2xf32>,
    %latent_scale: tensor<f32>, %pe_scale: tensor<f32>, %out: tensor<?x2x4xbf16>,
    %cache: tensor<?x16x10xf8E4M3FN>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xf8E4M3FN>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>,
          latent_scale = %latent_scale : tensor<f32>,
          pe_scale = %pe_scale : tensor<f32>)
      outs(out = %out : tensor<?x2x4xbf16>,
          cache = %cache : tensor<?x16x10xf8E4M3FN>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xf8E4M3FN>
}

// -----

// Static sizes: 4 pages of 16 keys, in windows of ceil(64 / 3) = 22.
// CHECK-LABEL: func.func @static(
// CHECK-NOT:     tensor.dim
// ONCE:          mla.gather_kv {{.*}} outs(c_kv = %{{.+}} : tensor<128x8xbf16>
// CHUNK:         scf.for %{{.+}} = %{{.+}} to %c64{{[^ ]*}} step %c22
// CHUNK:         mla.gather_kv {{.*}} outs(c_kv = %{{.+}} : tensor<44x8xbf16>
func.func @static(
    %q: tensor<8x2x6xbf16>, %c_kv: tensor<8x8xbf16>, %k_pe: tensor<8x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<2x4xi32>,
    %kv_lens: tensor<2xi32>, %cu_q: tensor<3xi32>, %cos_sin: tensor<?x2xf32>,
    %out: tensor<8x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<8x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<8x2x6xbf16>, c_kv = %c_kv : tensor<8x8xbf16>,
          k_pe = %k_pe : tensor<8x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<2x4xi32>,
          kv_lens = %kv_lens : tensor<2xi32>, cu_q = %cu_q : tensor<3xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>)
      outs(out = %out : tensor<8x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<8x2x4xbf16>, tensor<?x16x10xbf16>
}

// -----

// No more keys than a window has: no loop.
// CHECK-LABEL: func.func @one_window(
// CHECK-NOT:     scf.for
// CHECK:         mla.gather_kv {{.*}} outs(c_kv = %{{.+}} : tensor<32x8xbf16>
// CHECK-NOT:     mla.merge_states
// CHECK:         return
func.func @one_window(
    %q: tensor<8x2x6xbf16>, %c_kv: tensor<8x8xbf16>, %k_pe: tensor<8x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<2x1xi32>,
    %kv_lens: tensor<2xi32>, %cu_q: tensor<3xi32>, %cos_sin: tensor<?x2xf32>,
    %out: tensor<8x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<8x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<8x2x6xbf16>, c_kv = %c_kv : tensor<8x8xbf16>,
          k_pe = %k_pe : tensor<8x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<2x1xi32>,
          kv_lens = %kv_lens : tensor<2xi32>, cu_q = %cu_q : tensor<3xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>)
      outs(out = %out : tensor<8x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<8x2x4xbf16>, tensor<?x16x10xbf16>
}

// -----

// CHECK-LABEL: func.func @no_tokens(
// CHECK-NEXT:    return
func.func @no_tokens(
    %q: tensor<0x2x6xbf16>, %c_kv: tensor<0x8xbf16>, %k_pe: tensor<0x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<?x?xi32>,
    %kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>, %cos_sin: tensor<?x2xf32>,
    %out: tensor<0x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<0x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<0x2x6xbf16>, c_kv = %c_kv : tensor<0x8xbf16>,
          k_pe = %k_pe : tensor<0x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>)
      outs(out = %out : tensor<0x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<0x2x4xbf16>, tensor<?x16x10xbf16>
}

// -----

// Nothing to rebuild: all tokens are padding.
// CHECK-LABEL: func.func @no_sequences(
// CHECK-NOT:     mla.gather_kv
// CHECK:         mla.absorbed_attention
func.func @no_sequences(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<0x?xi32>,
    %kv_lens: tensor<0xi32>, %cu_q: tensor<1xi32>, %cos_sin: tensor<?x2xf32>,
    %out: tensor<?x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<0x?xi32>,
          kv_lens = %kv_lens : tensor<0xi32>, cu_q = %cu_q : tensor<1xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xbf16>
}

// -----

// CHECK-LABEL: func.func @no_pages(
// CHECK:         mla.gather_kv {{.*}}window_length = %c1{{.*}} outs(c_kv = %{{.+}} : tensor<?x8xbf16>
func.func @no_pages(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<?x0xi32>,
    %kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>, %cos_sin: tensor<?x2xf32>,
    %out: tensor<?x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<?x0xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xbf16>
}
