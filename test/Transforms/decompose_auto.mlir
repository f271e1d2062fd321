// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-decompose=form=auto --canonicalize --split-input-file | FileCheck %s
// RUN: mla-opt %s --mla-decompose="form=auto chunk-length=0" --split-input-file | FileCheck %s --check-prefix=ONCE --implicit-check-not=scf.for

// The widths: L = 8, N = 4, R = 2, V = 4, so that with T tokens, B sequences, M keys each
//
//     absorbed  T M (2L+R) + T L (N+V) = 18 T M + 64 T
//     expanded  T M (N+R+V) + B M L (N+V) = 10 T M + 64 B M
//
// ONCE: mla.expanded_attention

// 1 token, 1 sequence, 64 keys: 1216 against 4736.
// CHECK-LABEL: func.func @decode(
// CHECK-NOT:     scf.if
// CHECK:         mla.absorbed_attention
// CHECK-NOT:     mla.expanded_attention
// CHECK:         return
func.func @decode(
    %q: tensor<1x2x6xbf16>, %c_kv: tensor<1x8xbf16>, %k_pe: tensor<1x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<1x4xi32>,
    %kv_lens: tensor<1xi32>, %cu_q: tensor<2xi32>, %cos_sin: tensor<?x2xf32>,
    %out: tensor<1x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<1x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<1x2x6xbf16>, c_kv = %c_kv : tensor<1x8xbf16>,
          k_pe = %k_pe : tensor<1x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<1x4xi32>,
          kv_lens = %kv_lens : tensor<1xi32>, cu_q = %cu_q : tensor<2xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>)
      outs(out = %out : tensor<1x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<1x2x4xbf16>, tensor<?x16x10xbf16>
}

// -----

// 8 tokens, 1 sequence, 128 keys: 18944 against 18432. The form alone, as if asked for.
// CHECK-LABEL: func.func @prefill(
// CHECK-NOT:     scf.if
// CHECK-NOT:     mla.absorb
// CHECK:         mla.append {{.*}} outs(query = %{{.+}} : tensor<8x2x6xbf16>, cache
// CHECK-NOT:     mla.absorb
// CHECK:         mla.expanded_attention
// CHECK-NOT:     mla.absorb
// CHECK:         return
func.func @prefill(
    %q: tensor<8x2x6xbf16>, %c_kv: tensor<8x8xbf16>, %k_pe: tensor<8x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<1x8xi32>,
    %kv_lens: tensor<1xi32>, %cu_q: tensor<2xi32>, %cos_sin: tensor<?x2xf32>,
    %out: tensor<8x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<8x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<8x2x6xbf16>, c_kv = %c_kv : tensor<8x8xbf16>,
          k_pe = %k_pe : tensor<8x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<1x8xi32>,
          kv_lens = %kv_lens : tensor<1xi32>, cu_q = %cu_q : tensor<2xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>)
      outs(out = %out : tensor<8x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<8x2x4xbf16>, tensor<?x16x10xbf16>
}

// -----

// One token less: 16576 against 17152.
// CHECK-LABEL: func.func @few_tokens(
// CHECK-NOT:     mla.expanded_attention
// CHECK:         mla.absorbed_attention
// CHECK-NOT:     mla.expanded_attention
// CHECK:         return
func.func @few_tokens(
    %q: tensor<7x2x6xbf16>, %c_kv: tensor<7x8xbf16>, %k_pe: tensor<7x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<1x8xi32>,
    %kv_lens: tensor<1xi32>, %cu_q: tensor<2xi32>, %cos_sin: tensor<?x2xf32>,
    %out: tensor<7x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<7x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<7x2x6xbf16>, c_kv = %c_kv : tensor<7x8xbf16>,
          k_pe = %k_pe : tensor<7x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<1x8xi32>,
          kv_lens = %kv_lens : tensor<1xi32>, cu_q = %cu_q : tensor<2xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>)
      outs(out = %out : tensor<7x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<7x2x4xbf16>, tensor<?x16x10xbf16>
}

// -----

// 16 tokens, 3 sequences, 16 keys: 5632 in both. The absorbed form wins ties.
// CHECK-LABEL: func.func @tie(
// CHECK-NOT:     mla.expanded_attention
// CHECK:         mla.absorbed_attention
// CHECK-NOT:     mla.expanded_attention
// CHECK:         return
func.func @tie(
    %q: tensor<16x2x6xbf16>, %c_kv: tensor<16x8xbf16>, %k_pe: tensor<16x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<3x1xi32>,
    %kv_lens: tensor<3xi32>, %cu_q: tensor<4xi32>, %cos_sin: tensor<?x2xf32>,
    %out: tensor<16x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<16x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<16x2x6xbf16>, c_kv = %c_kv : tensor<16x8xbf16>,
          k_pe = %k_pe : tensor<16x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<3x1xi32>,
          kv_lens = %kv_lens : tensor<3xi32>, cu_q = %cu_q : tensor<4xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>)
      outs(out = %out : tensor<16x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<16x2x4xbf16>, tensor<?x16x10xbf16>
}

// -----

// Known when it runs: one append before the branches writes the columns that both
// queries share.
// CHECK-LABEL: func.func @dynamic(
// CHECK-SAME:    %[[Q:[^:]+]]: tensor<?x2x6xbf16>
// CHECK-SAME:    %[[PAGES:[^:]+]]: tensor<?x?xi32>
// CHECK-SAME:    %[[OUT:[^: ]+]]: tensor<?x2x4xbf16>, %[[CACHE0:[^:]+]]: tensor<?x16x10xbf16>
// CHECK-DAG:     %[[T:.+]] = tensor.dim %[[Q]], %c0
// CHECK-DAG:     %[[B:.+]] = tensor.dim %[[PAGES]], %c0
// CHECK-DAG:     %[[M:.+]] = arith.maxui
// CHECK-DAG:     %[[TM:.+]] = arith.muli %[[T]], %[[M]]
// CHECK-DAG:     %[[TM18:.+]] = arith.muli %[[TM]], %c18
// CHECK-DAG:     %[[T64:.+]] = arith.muli %[[T]], %c64
// CHECK-DAG:     %[[ABSORBED:.+]] = arith.addi %[[TM18]], %[[T64]]
// CHECK-DAG:     %[[TM10:.+]] = arith.muli %[[TM]], %c10
// CHECK-DAG:     %[[BM:.+]] = arith.muli %[[B]], %[[M]]
// CHECK-DAG:     %[[BM64:.+]] = arith.muli %[[BM]], %c64
// CHECK-DAG:     %[[EXPANDED:.+]] = arith.addi %[[TM10]], %[[BM64]]
// CHECK-DAG:     %[[IS_EXPANDED:.+]] = arith.cmpi ult, %[[EXPANDED]], %[[ABSORBED]]
// CHECK:         %[[WIDE0:.+]] = tensor.empty(%[[T]]) : tensor<?x2x10xbf16>
// CHECK:         %[[END0:.+]] = tensor.extract_slice %[[WIDE0]][0, 0, 4] [%[[T]], 2, 6]
// CHECK:         %[[END:.+]], %[[CACHE:.+]] = mla.append {{.*}}q_nope = {{.*}}q_pe = {{.*}} outs(query = %[[END0]] : tensor<?x2x6xbf16>, cache = %[[CACHE0]] :
// CHECK-NOT:     mla.append
// CHECK:         %[[WIDE:.+]] = tensor.insert_slice %[[END]] into %[[WIDE0]][0, 0, 4]
// CHECK:         %[[RESULT:.+]] = scf.if %[[IS_EXPANDED]]
// CHECK:           scf.for
// CHECK:             mla.gather_kv ins(cache = %[[CACHE]] :
// CHECK:             mla.expanded_attention ins(q = %[[END]] :
// CHECK:           } else {
// CHECK:           %[[LATENT0:.+]] = tensor.extract_slice %[[WIDE]][0, 0, 0] [%[[T]], 2, 8]
// CHECK:           %[[LATENT:.+]] = mla.absorb_q {{.*}} outs(query = %[[LATENT0]] :
// CHECK:           %[[ABSORBED:.+]] = tensor.insert_slice %[[LATENT]] into %[[WIDE]][0, 0, 0]
// CHECK:           mla.absorbed_attention ins(query = %[[ABSORBED]] : tensor<?x2x10xbf16>, cache = %[[CACHE]] :
// CHECK:           mla.project_v {{.*}} outs(out = %[[OUT]] :
// CHECK:         return %[[RESULT]], %[[CACHE]]
func.func @dynamic(
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

// Where N > L the absorbed query is the narrower one.
// CHECK-LABEL: func.func @wide_nope(
// CHECK:         %[[WIDE0:.+]] = tensor.empty({{.*}}) : tensor<?x2x18xbf16>
// CHECK:         mla.append {{.*}} outs(query = %[[WIDE0]] : tensor<?x2x18xbf16>, cache
// CHECK:         scf.if
// CHECK:         } else {
// CHECK:           tensor.extract_slice %{{.+}}[0, 0, 8] [%{{.+}}, 2, 8]
// CHECK:           mla.absorb_q
// CHECK:           %[[QUERY:.+]] = tensor.extract_slice %{{.+}}[0, 0, 8] [%{{.+}}, 2, 10]
// CHECK:           mla.absorbed_attention ins(query = %[[QUERY]] :
func.func @wide_nope(
    %q: tensor<?x2x18xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w_kv_b: tensor<2x20x8xbf16>, %page_table: tensor<?x?xi32>,
    %kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>, %cos_sin: tensor<?x2xf32>,
    %out: tensor<?x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x18xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w_kv_b : tensor<2x20x8xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xbf16>
}

// -----

// Where nothing rotates, the expanded form takes q itself.
// CHECK-LABEL: func.func @unrotated(
// CHECK-SAME:    %[[Q:[^:]+]]: tensor<?x2x6xbf16>
// CHECK:         mla.append ins(c_kv = %{{[^,]+}}, k_pe = %{{[^,]+}}, q_pe = %{{[^,]+}}, slots = %{{[^,]+}}, cu_q = %{{[^,]+}}) outs(query = %{{.+}} : tensor<?x2x10xbf16>, cache
// CHECK:         scf.if
// CHECK:           mla.expanded_attention ins(q = %[[Q]] :
// CHECK:         } else {
// CHECK:           mla.absorbed_attention
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

// CHECK-LABEL: func.func @zero_width(
// CHECK-SAME:    %[[Q:[^:]+]]: tensor<?x2x4xbf16>
// CHECK-NOT:     tensor.insert_slice
// CHECK:         mla.append ins(c_kv = %{{[^,]+}}, slots = %{{[^,]+}}) outs(cache =
// CHECK:         scf.if
// CHECK:           mla.expanded_attention ins(q = %[[Q]] :
// CHECK:         } else {
// CHECK:           mla.absorb_q ins(q_nope = %[[Q]] :
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

// A quantized query exists in the absorbed form alone.
// CHECK-LABEL: func.func @fp8_query(
// CHECK-NOT:     mla.expanded_attention
// CHECK:         mla.absorbed_attention
// CHECK-NOT:     mla.expanded_attention
// CHECK:         return
func.func @fp8_query(
    %q: tensor<8x2x6xbf16>, %c_kv: tensor<8x8xbf16>, %k_pe: tensor<8x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<1x8xi32>,
    %kv_lens: tensor<1xi32>, %cu_q: tensor<2xi32>, %cos_sin: tensor<?x2xf32>,
    %query_scale: tensor<f32>, %latent_scale: tensor<f32>, %pe_scale: tensor<f32>,
    %out: tensor<8x2x4xbf16>, %cache: tensor<?x16x10xf8E4M3FN>)
    -> (tensor<8x2x4xbf16>, tensor<?x16x10xf8E4M3FN>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<8x2x6xbf16>, c_kv = %c_kv : tensor<8x8xbf16>,
          k_pe = %k_pe : tensor<8x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<1x8xi32>,
          kv_lens = %kv_lens : tensor<1xi32>, cu_q = %cu_q : tensor<2xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>,
          query_scale = %query_scale : tensor<f32>,
          latent_scale = %latent_scale : tensor<f32>,
          pe_scale = %pe_scale : tensor<f32>)
      outs(out = %out : tensor<8x2x4xbf16>,
          cache = %cache : tensor<?x16x10xf8E4M3FN>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<8x2x4xbf16>, tensor<?x16x10xf8E4M3FN>
}

// -----

// CHECK-LABEL: func.func @no_sequences(
// CHECK-NOT:     mla.expanded_attention
// CHECK:         mla.absorbed_attention
func.func @no_sequences(
    %q: tensor<8x2x6xbf16>, %c_kv: tensor<8x8xbf16>, %k_pe: tensor<8x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<0x?xi32>,
    %kv_lens: tensor<0xi32>, %cu_q: tensor<1xi32>, %cos_sin: tensor<?x2xf32>,
    %out: tensor<8x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<8x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<8x2x6xbf16>, c_kv = %c_kv : tensor<8x8xbf16>,
          k_pe = %k_pe : tensor<8x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<0x?xi32>,
          kv_lens = %kv_lens : tensor<0xi32>, cu_q = %cu_q : tensor<1xi32>,
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
