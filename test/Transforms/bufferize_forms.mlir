// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-bufferize="form=expanded chunk-length=24" \
// RUN:   | FileCheck %s --check-prefixes=CHECK --implicit-check-not=memref.copy
// RUN: mla-opt %s --mla-bufferize="form=auto chunk-length=24" \
// RUN:   | FileCheck %s --check-prefixes=CHECK,AUTO --implicit-check-not=memref.copy

// The other forms in place: the cache is copied nowhere, windows share their buffers, which
// are made ahead of the loop, and the destination is written once.

// CHECK-LABEL: func.func @in_bf16(
// CHECK-SAME:    %[[OUT:[^: ]+]]: memref<?x2x4xbf16, {{[^>]*>}}> {{{[^}]*}}mla.name = "out", mla.role = "output"}, %[[CACHE:[^: ]+]]: memref<?x16x10xbf16
// CHECK:         mla.append {{.*}} outs(query = %{{.+}}, cache = %[[CACHE]] :
// AUTO:          scf.if
// CHECK:         %[[C:.+]] = memref.alloc({{.*}} : memref<?x8xbf16>
// CHECK:         %[[PE:.+]] = memref.alloc({{.*}} : memref<?x2xbf16>
// CHECK:         %[[KV:.+]] = memref.alloc({{.*}} : memref<?x2x8xbf16>
// CHECK:         %[[O:.+]] = memref.alloc({{.*}} : memref<?x2x4xf32>
// CHECK:         %[[LSE:.+]] = memref.alloc({{.*}} : memref<?x2xf32>
// CHECK:         %[[ALL:.+]] = memref.alloc({{.*}} : memref<?x2x4xf32>
// CHECK:         %[[SUM:.+]] = memref.alloc({{.*}} : memref<?x2xf32>
// CHECK:         linalg.broadcast ins(%{{.+}}) outs(%[[SUM]] :
// CHECK:         linalg.fill ins(%{{.+}}) outs(%[[ALL]] :
// CHECK:         scf.for %{{[^ ]+}} = %{{[^ ]+}} to %{{[^ ]+}} step %{{[^ ]+}} {
// CHECK-NEXT:      mla.gather_kv ins(cache = %[[CACHE]] : {{.*}} outs(c_kv = %[[C]] : memref<?x8xbf16>, k_pe = %[[PE]] :
// CHECK-NEXT:      mla.expand_kv {{.*}} outs(kv = %[[KV]] :
// CHECK-NEXT:      memref.subview %[[KV]]
// CHECK-NEXT:      memref.subview %[[KV]]
// CHECK-NEXT:      mla.expanded_attention {{.*}} outs(o = %[[O]] : memref<?x2x4xf32>, lse = %[[LSE]] :
// CHECK-NEXT:      memref.expand_shape %[[LSE]]
// CHECK-NEXT:      memref.expand_shape %[[O]]
// CHECK-NEXT:      mla.merge_states {{.*}} outs(o = %[[ALL]] : memref<?x2x4xf32>, lse = %[[SUM]] :
// CHECK-NEXT:    }
// CHECK-NEXT:    linalg.copy ins(%[[ALL]] : memref<?x2x4xf32>) outs(%[[OUT]] :
// AUTO:          } else {
// AUTO:            mla.absorb_q
// AUTO:            mla.absorbed_attention {{.*}}cache = %[[CACHE]] :
// AUTO:            mla.project_v {{.*}} outs(out = %[[OUT]] :
// CHECK:         return{{$}}
func.func @in_bf16(
    %q: tensor<?x2x6xbf16>, %c_kv: tensor<?x8xbf16>, %k_pe: tensor<?x2xbf16>,
    %w_kv_b: tensor<2x8x8xbf16>, %page_table: tensor<?x?xi32>,
    %kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>, %cos_sin: tensor<?x2xf32>,
    %sinks: tensor<2xf32>, %indices: tensor<?x3xi32>, %out: tensor<?x2x4xbf16>,
    %cache: tensor<?x16x10xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x10xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x6xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          k_pe = %k_pe : tensor<?x2xbf16>, w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>, sinks = %sinks : tensor<2xf32>,
          indices = %indices : tensor<?x3xi32>)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x10xbf16>
}

// A destination in f32 holds the state while it is accumulated.
// CHECK-LABEL: func.func @in_f32(
// CHECK-SAME:    %[[OUT:[^: ]+]]: memref<?x2x4xf32, {{[^>]*>}}> {{{[^}]*}}mla.name = "out", mla.role = "output"}
// CHECK:         linalg.fill {{.*}} outs(%[[OUT]] :
// CHECK:         scf.for
// CHECK:           mla.merge_states {{.*}} outs(o = %[[OUT]] :
// CHECK-NOT:     linalg.copy
// CHECK:         return{{$}}
func.func @in_f32(
    %q: tensor<?x2x6xf32>, %c_kv: tensor<?x8xf32>, %k_pe: tensor<?x2xf32>,
    %w_kv_b: tensor<2x8x8xf32>, %page_table: tensor<?x?xi32>,
    %kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>, %cos_sin: tensor<?x2xf32>,
    %positions: tensor<?xi64>, %out: tensor<?x2x4xf32>, %cache: tensor<?x16x10xf32>)
    -> (tensor<?x2x4xf32>, tensor<?x16x10xf32>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x6xf32>, c_kv = %c_kv : tensor<?x8xf32>,
          k_pe = %k_pe : tensor<?x2xf32>, w_kv_b = %w_kv_b : tensor<2x8x8xf32>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          cos_sin = %cos_sin : tensor<?x2xf32>,
          positions = %positions : tensor<?xi64>)
      outs(out = %out : tensor<?x2x4xf32>, cache = %cache : tensor<?x16x10xf32>)
      {rope = #mla.rope<half, head_dim = 2>, softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xf32>, tensor<?x16x10xf32>
}

// CHECK-LABEL: func.func @unrotated(
// CHECK-SAME:    %[[Q:[^: ]+]]: memref<?x2x6xbf16
// CHECK:         scf.for
// CHECK:           mla.expanded_attention ins(q = %[[Q]] :
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

// CHECK-LABEL: func.func @zero_width(
// CHECK:         scf.for
// CHECK:           mla.gather_kv {{.*}} outs(c_kv = %{{[^,]+}})
func.func @zero_width(
    %q: tensor<?x2x4xbf16>, %c_kv: tensor<?x8xbf16>, %w_kv_b: tensor<2x8x8xbf16>,
    %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
    %num_generation_seqs: index, %num_generation_tokens: index, %out: tensor<?x2x4xbf16>,
    %cache: tensor<?x16x8xbf16>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x8xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x4xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          w_kv_b = %w_kv_b : tensor<2x8x8xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          num_generation_seqs = %num_generation_seqs : index,
          num_generation_tokens = %num_generation_tokens : index)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x8xbf16>)
      {softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x8xbf16>
}
