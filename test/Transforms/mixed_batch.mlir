// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-decompose=form=auto --canonicalize --split-input-file | FileCheck %s
// RUN: mla-opt %s --mla-bufferize=form=auto --split-input-file | FileCheck %s --check-prefix=BUFFERS --implicit-check-not=memref.copy

// Generation first: those tokens in the absorbed form, the others in the one that is
// cheaper for them; where that is the absorbed one, too, all in one call.

// BUFFERS-LABEL: func.func @mixed_batch(
// BUFFERS-SAME:    %[[OUT:[^: ]+]]: memref<?x2x4xbf16, {{[^>]*>}}> {{{[^}]*}}mla.name = "out"
// BUFFERS:         mla.append
// BUFFERS:         scf.if
// BUFFERS-NOT:     mla.append
// BUFFERS:         mla.project_v {{.*}} outs(out = %[[OUT]] :
// BUFFERS:         return

// CHECK-LABEL: func.func @mixed_batch(
// CHECK-SAME:    %[[Q:[^:]+]]: tensor<?x2x6xbf16>
// CHECK-SAME:    %[[PAGES:[^:]+]]: tensor<?x?xi32>, %[[LENS:[^:]+]]: tensor<?xi32>, %[[CU:[^:]+]]: tensor<?xi32>
// CHECK-SAME:    %[[SINKS:[^:]+]]: tensor<2xf32>, %[[INDICES:[^:]+]]: tensor<?x3xi32>, %[[GS_HINT:[^:]+]]: index, %[[G_HINT:[^:]+]]: index
// CHECK-SAME:    %[[OUT:[^:]+]]: tensor<?x2x4xbf16>
// CHECK-DAG:     %[[T:.+]] = tensor.dim %[[Q]], %c0
// CHECK-DAG:     %[[B:.+]] = tensor.dim %[[PAGES]], %c0
// A wrong hint slices nothing out of bounds.
// CHECK-DAG:     %[[G:.+]] = arith.minui %[[G_HINT]], %[[T]]
// CHECK-DAG:     %[[GS:.+]] = arith.minui %[[GS_HINT]], %[[B]]
// CHECK-DAG:     %[[C:.+]] = arith.subi %[[T]], %[[G]]
// CHECK-DAG:     %[[CS:.+]] = arith.subi %[[B]], %[[GS]]
// CHECK-DAG:     arith.muli %[[C]], %[[M:[^ ]+]] : index
// CHECK-DAG:     arith.muli %[[CS]], %[[M]]
// CHECK:         mla.append
// CHECK-NOT:     mla.append
// CHECK:         scf.if
// The generation's part, in its rows of everything.
// CHECK:           %[[LATENT0:.+]] = tensor.extract_slice %[[WIDE0:.+]][0, 0, 0] [%[[G]], 2, 8]
// CHECK:           %[[LATENT:.+]] = mla.absorb_q ins(q_nope = %{{.+}} : tensor<?x2x4xbf16>, {{.*}} outs(query = %[[LATENT0]] :
// CHECK:           %[[WIDE:.+]] = tensor.insert_slice %[[LATENT]] into %[[WIDE0]][0, 0, 0] [%[[G]], 2, 8]
// CHECK-DAG:       %[[QUERY:.+]] = tensor.extract_slice %[[WIDE]][0, 0, 0] [%[[G]], 2, 10]
// CHECK-DAG:       %[[PAGES1:.+]] = tensor.extract_slice %[[PAGES]][0, 0] [%[[GS]],
// CHECK-DAG:       %[[LENS1:.+]] = tensor.extract_slice %[[LENS]][0] [%[[GS]]]
// CHECK-DAG:       %[[GS1:.+]] = arith.addi %[[GS]], %c1
// CHECK-DAG:       %[[CU1:.+]] = tensor.extract_slice %[[CU]][0] [%[[GS1]]]
// CHECK-DAG:       %[[INDICES1:.+]] = tensor.extract_slice %[[INDICES]][0, 0] [%[[G]], 3]
// CHECK:           mla.absorbed_attention ins(query = %[[QUERY]] : {{.*}}page_table = %[[PAGES1]] : {{.*}}kv_lens = %[[LENS1]] : {{.*}}cu_q = %[[CU1]] : {{.*}}sinks = %[[SINKS]] : {{.*}}indices = %[[INDICES1]] :
// CHECK:           %[[OUT1:.+]] = tensor.extract_slice %[[OUT]][0, 0, 0] [%[[G]], 2, 4]
// CHECK:           %[[DONE1:.+]] = mla.project_v {{.*}} outs(out = %[[OUT1]] :
// CHECK:           %[[HALF:.+]] = tensor.insert_slice %[[DONE1]] into %[[OUT]][0, 0, 0] [%[[G]], 2, 4]
// The context's part. Its tokens keep their numbers.
// CHECK-DAG:       %[[QUERY2:.+]] = tensor.extract_slice %[[WIDE]][%[[G]], 0, 4] [%[[C]], 2, 6]
// CHECK-DAG:       %[[PAGES2:.+]] = tensor.extract_slice %[[PAGES]][%[[GS]], 0] [%[[CS]],
// CHECK-DAG:       %[[LENS2:.+]] = tensor.extract_slice %[[LENS]][%[[GS]]] [%[[CS]]]
// CHECK-DAG:       %[[CS1:.+]] = arith.addi %[[CS]], %c1
// CHECK-DAG:       %[[CU2:.+]] = tensor.extract_slice %[[CU]][%[[GS]]] [%[[CS1]]]
// CHECK-DAG:       %[[INDICES2:.+]] = tensor.extract_slice %[[INDICES]][%[[G]], 0] [%[[C]], 3]
// CHECK-DAG:       %[[OUT2:.+]] = tensor.extract_slice %[[HALF]][%[[G]], 0, 0] [%[[C]], 2, 4]
// CHECK:           scf.for
// CHECK:             mla.gather_kv {{.*}}page_table = %[[PAGES2]] : {{.*}}kv_lens = %[[LENS2]] :
// CHECK:             mla.expanded_attention ins(q = %[[QUERY2]] : {{.*}}cu_q = %[[CU2]] : {{.*}}kv_lens = %[[LENS2]] : {{.*}}indices = %[[INDICES2]] : {{.*}}first_token = %[[G]] : index)
// CHECK:           %[[DONE2:.+]] = linalg.copy {{.*}} outs(%[[OUT2]] :
// CHECK:           %[[BOTH:.+]] = tensor.insert_slice %[[DONE2]] into %[[HALF]][%[[G]], 0, 0] [%[[C]], 2, 4]
// CHECK:           scf.yield %[[BOTH]]
// CHECK:         } else {
// CHECK-NOT:       mla.expanded_attention
// CHECK:           mla.absorbed_attention ins({{.*}}page_table = %[[PAGES]] : {{.*}}cu_q = %[[CU]] :
// CHECK:           mla.project_v {{.*}} outs(out = %[[OUT]] :
func.func @mixed_batch(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<?x?xi32>,
    %kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>, %cos_sin: tensor<?x2xf32>,
    %sinks: tensor<2xf32>, %indices: tensor<?x3xi32>,
    %num_generation_seqs: index, %num_generation_tokens: index, %out: tensor<?x2x4xbf16>,
    %cache: tensor<?x16x10xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>, sinks = %sinks : tensor<2xf32>,
          indices = %indices : tensor<?x3xi32>,
          num_generation_seqs = %num_generation_seqs : index,
          num_generation_tokens = %num_generation_tokens : index)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xbf16>
}

// -----

// All sizes known: 3 generation tokens of 3 sequences, then 61 of one. No branch.
// CHECK-LABEL: func.func @mixed_batch_static(
// CHECK-NOT:     scf.if
// CHECK:         mla.absorbed_attention ins(query = %{{.+}} : tensor<3x2x10xbf16>
// CHECK:         mla.expanded_attention ins(q = %{{.+}} : tensor<61x2x6xbf16>, {{.*}}first_token = %c3
// CHECK:         return
func.func @mixed_batch_static(
    %q: tensor<64x2x6xbf16>, %c_kv: tensor<64x8xbf16>, %k_pe: tensor<64x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<4x8xi32>,
    %kv_lens: tensor<4xi32>, %cu_q: tensor<5xi32>, %cos_sin: tensor<?x2xf32>,
    %out: tensor<64x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<64x2x4xbf16>, tensor<?x16x10xbf16>) {
  %num_generation_seqs = arith.constant 3 : index
  %num_generation_tokens = arith.constant 3 : index
  %r:2 = mla.attention
      ins(q = %q : tensor<64x2x6xbf16>, c_kv = %c_kv : tensor<64x8xbf16>,
          k_pe = %k_pe : tensor<64x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<4x8xi32>,
          kv_lens = %kv_lens : tensor<4xi32>, cu_q = %cu_q : tensor<5xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>,
          num_generation_seqs = %num_generation_seqs : index,
          num_generation_tokens = %num_generation_tokens : index)
      outs(out = %out : tensor<64x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<64x2x4xbf16>, tensor<?x16x10xbf16>
}

// -----

// No generation at all, and known to be none.
// CHECK-LABEL: func.func @context_only(
// CHECK-NOT:     scf.if
// CHECK-NOT:     mla.absorbed_attention
// CHECK:         mla.expanded_attention
// CHECK-NOT:     mla.absorbed_attention
// CHECK:         return
func.func @context_only(
    %q: tensor<64x2x6xbf16>, %c_kv: tensor<64x8xbf16>, %k_pe: tensor<64x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<4x8xi32>,
    %kv_lens: tensor<4xi32>, %cu_q: tensor<5xi32>, %cos_sin: tensor<?x2xf32>,
    %out: tensor<64x2x4xbf16>, %cache: tensor<?x16x10xbf16>)
    -> (tensor<64x2x4xbf16>, tensor<?x16x10xbf16>) {
  %num_generation_seqs = arith.constant 0 : index
  %num_generation_tokens = arith.constant 0 : index
  %r:2 = mla.attention
      ins(q = %q : tensor<64x2x6xbf16>, c_kv = %c_kv : tensor<64x8xbf16>,
          k_pe = %k_pe : tensor<64x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<4x8xi32>,
          kv_lens = %kv_lens : tensor<4xi32>, cu_q = %cu_q : tensor<5xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>,
          num_generation_seqs = %num_generation_seqs : index,
          num_generation_tokens = %num_generation_tokens : index)
      outs(out = %out : tensor<64x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<64x2x4xbf16>, tensor<?x16x10xbf16>
}

// -----

// Rows of no columns can't be sliced; nobody sees a key then.
// CHECK-LABEL: func.func @no_pages(
// CHECK-NOT:     mla.expanded_attention
// CHECK:         mla.absorbed_attention
// CHECK-NOT:     mla.expanded_attention
// CHECK:         return
func.func @no_pages(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<?x0xi32>,
    %kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>, %cos_sin: tensor<?x2xf32>,
    %num_generation_seqs: index, %num_generation_tokens: index, %out: tensor<?x2x4xbf16>,
    %cache: tensor<?x16x10xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<?x0xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>,
          num_generation_seqs = %num_generation_seqs : index,
          num_generation_tokens = %num_generation_tokens : index)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xbf16>
}

// -----

// CHECK-LABEL: func.func @no_indices(
// CHECK-NOT:     mla.expanded_attention
// CHECK:         mla.absorbed_attention
// CHECK-NOT:     mla.expanded_attention
// CHECK:         return
func.func @no_indices(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<?x?xi32>,
    %kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>, %cos_sin: tensor<?x2xf32>,
    %indices: tensor<?x0xi32>,
    %num_generation_seqs: index, %num_generation_tokens: index, %out: tensor<?x2x4xbf16>,
    %cache: tensor<?x16x10xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>,
          indices = %indices : tensor<?x0xi32>,
          num_generation_seqs = %num_generation_seqs : index,
          num_generation_tokens = %num_generation_tokens : index)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xbf16>
}
