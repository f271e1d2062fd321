// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A copy onto itself is what an insert_slice in place becomes; it folds.
// RUN: mla-opt %s --one-shot-bufferize="bufferize-function-boundaries" \
// RUN:     --cse --canonicalize -split-input-file | FileCheck %s

// Every destination is written in place, a slice of a buffer too.
// CHECK-LABEL: @in_place
// CHECK-SAME: %[[QUERY:[a-z0-9]+]]: memref<?x2x20xbf16, strided<[?, ?, ?], offset: ?>>, %[[CACHE:[a-z0-9]+]]: memref<?x8x20xbf16, strided<[?, ?, ?], offset: ?>>)
// CHECK-NOT: memref.alloc
// CHECK-NOT: memref.copy
// CHECK: %[[SLICE:.+]] = memref.subview %[[QUERY]][0, 0, 0]
// CHECK-NOT: memref.alloc
// CHECK: mla.absorb_q ins({{.*}}) outs(query = %[[SLICE]] : memref<?x2x16xbf16, strided<[?, ?, ?], offset: ?>>)
// CHECK-NOT: memref.alloc
// CHECK-NOT: memref.copy
// CHECK: mla.append ins({{.*}}) outs(query = %[[QUERY]] : {{.*}}, cache = %[[CACHE]] : {{.*}}) {mla.rope_off = "kept", phase = #mla.phase<generation>}
// CHECK-NOT: memref.alloc
// CHECK-NOT: memref.copy
// CHECK: return
func.func @in_place(
    %q_nope: tensor<?x2x8xbf16>, %w: tensor<2x8x16xbf16>,
    %c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>, %q_pe: tensor<?x2x4xbf16>,
    %slots: tensor<?xi64>, %query: tensor<?x2x20xbf16>,
    %cache: tensor<?x8x20xbf16>) -> (tensor<?x2x20xbf16>, tensor<?x8x20xbf16>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %query, %c0 : tensor<?x2x20xbf16>
  %slice = tensor.extract_slice %query[0, 0, 0] [%t, 2, 16] [1, 1, 1]
      : tensor<?x2x20xbf16> to tensor<?x2x16xbf16>
  %absorbed = mla.absorb_q
      ins(q_nope = %q_nope : tensor<?x2x8xbf16>, w_uk = %w : tensor<2x8x16xbf16>)
      outs(query = %slice : tensor<?x2x16xbf16>)
  %nope = tensor.insert_slice %absorbed into %query[0, 0, 0] [%t, 2, 16] [1, 1, 1]
      : tensor<?x2x16xbf16> into tensor<?x2x20xbf16>
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>)
      outs(query = %nope : tensor<?x2x20xbf16>,
           cache = %cache : tensor<?x8x20xbf16>)
      {mla.rope_off = "kept", phase = #mla.phase<generation>}
  return %r#0, %r#1 : tensor<?x2x20xbf16>, tensor<?x8x20xbf16>
}

// -----

// The cache from before the append is still needed after it.
// CHECK-LABEL: @conflict
// CHECK-SAME: %[[CACHE:[a-z0-9]+]]: memref<?x8x16xbf16, strided<[?, ?, ?], offset: ?>>)
// CHECK: %[[COPY:.+]] = memref.alloc
// CHECK: memref.copy %[[CACHE]], %[[COPY]]
// CHECK: mla.append ins({{.*}}) outs(cache = %[[COPY]] :
func.func @conflict(%c_kv: tensor<?x16xbf16>, %slots: tensor<?xi64>,
                    %cache: tensor<?x8x16xbf16>)
    -> (tensor<?x8x16xbf16>, tensor<?x8x16xbf16>) {
  %r = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, slots = %slots : tensor<?xi64>)
      outs(cache = %cache : tensor<?x8x16xbf16>)
  return %r, %cache : tensor<?x8x16xbf16>, tensor<?x8x16xbf16>
}

// -----

// What is only read is not writable, so it isn't written: nor is it copied.
// CHECK-LABEL: @read_only
// CHECK-NOT: memref.copy
// CHECK: mla.absorbed_attention ins({{.*}}max_kv = %{{[a-z0-9]+}} : index)
// CHECK-NOT: memref.copy
// CHECK: return
func.func @read_only(
    %query: tensor<?x2x20xbf16> {bufferization.writable = false},
    %cache: tensor<?x8x20xbf16> {bufferization.writable = false},
    %pages: tensor<?x?xi32> {bufferization.writable = false},
    %lens: tensor<?xi32> {bufferization.writable = false},
    %cu: tensor<?xi32> {bufferization.writable = false}, %max_kv: index,
    %o: tensor<?x2x16xbf16>, %lse: tensor<?x2xf32>)
    -> (tensor<?x2x16xbf16>, tensor<?x2xf32>) {
  %r:2 = mla.absorbed_attention
      ins(query = %query : tensor<?x2x20xbf16>, cache = %cache : tensor<?x8x20xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>, max_kv = %max_kv : index)
      outs(o = %o : tensor<?x2x16xbf16>, lse = %lse : tensor<?x2xf32>)
      {softmax_scale = 0.25 : f64}
  return %r#0, %r#1 : tensor<?x2x16xbf16>, tensor<?x2xf32>
}
