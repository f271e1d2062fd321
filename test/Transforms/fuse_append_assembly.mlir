// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Queries that operations of another dialect assemble.

// RUN: mla-opt %s --mla-fuse-append -o %t
// RUN: FileCheck %s --input-file=%t
// RUN: mla-opt %t --mla-fuse-append | diff %t -
// RUN: mla-opt %s --mla-fuse-append --remark-format=emitRemark \
// RUN:   --remarks-filter=mla-fuse-append 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// The rotation would have written the slice itself: three launches.
// REMARK:      fuse_append_assembly.mlir:[[#@LINE+15]]:{{.*}}one launch instead of 3, saves 2
// CHECK-LABEL: func.func @insert(
// CHECK-NEXT:    %[[QUERY:.*]], %[[CACHE:.*]] = mla.append ins(c_kv = {{.*}}, q_pe = %arg2 : tensor<4x2x2xbf16>, slots
// CHECK-SAME:      outs(query = %arg6 : tensor<4x2x10xbf16>, cache = %arg7 : tensor<4x16x10xbf16>) {rope = #mla.rope<half, head_dim = 2>}
// CHECK-NEXT:    return %[[QUERY]], %[[CACHE]]
func.func @insert(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %query: tensor<4x2x10xbf16>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x2x10xbf16>, tensor<4x16x10xbf16>) {
  %0 = tensor.empty() : tensor<4x2x2xbf16>
  %q_pe = mla.rope
      ins(x = %q : tensor<4x2x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %0 : tensor<4x2x2xbf16>) {rope = #mla.rope<half, head_dim = 2>}
  %full = tensor.insert_slice %q_pe into %query[0, 0, 8] [4, 2, 2] [1, 1, 1]
      : tensor<4x2x2xbf16> into tensor<4x2x10xbf16>
  %1 = tensor.empty() : tensor<4x2xbf16>
  %k_pe = mla.rope
      ins(x = %k : tensor<4x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %1 : tensor<4x2xbf16>) {rope = #mla.rope<half, head_dim = 2>}
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k_pe : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
  return %full, %new : tensor<4x2x10xbf16>, tensor<4x16x10xbf16>
}

// Concatenated: a copy of q_nope more.
// REMARK:      one launch instead of 4, saves 3
// CHECK-LABEL: func.func @concat(
// CHECK-NEXT:    %[[EMPTY:.*]] = tensor.empty() : tensor<4x2x10xbf16>
// CHECK-NEXT:    %[[QUERY:.*]], %[[CACHE:.*]] = mla.append ins(c_kv = {{.*}}, q_nope = %arg6 : tensor<4x2x8xbf16>, q_pe = %arg2 : tensor<4x2x2xbf16>, slots
// CHECK-SAME:      outs(query = %[[EMPTY]] : tensor<4x2x10xbf16>, cache
// CHECK-NEXT:    return %[[QUERY]], %[[CACHE]]
func.func @concat(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %nope: tensor<4x2x8xbf16>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x2x10xbf16>, tensor<4x16x10xbf16>) {
  %1 = tensor.empty() : tensor<4x2xbf16>
  %k_pe = mla.rope
      ins(x = %k : tensor<4x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %1 : tensor<4x2xbf16>) {rope = #mla.rope<half, head_dim = 2>}
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k_pe : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
  %0 = tensor.empty() : tensor<4x2x2xbf16>
  %q_pe = mla.rope
      ins(x = %q : tensor<4x2x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %0 : tensor<4x2x2xbf16>) {rope = #mla.rope<half, head_dim = 2>}
  %full = tensor.concat dim(2) %nope, %q_pe
      : (tensor<4x2x8xbf16>, tensor<4x2x2xbf16>) -> tensor<4x2x10xbf16>
  return %full, %new : tensor<4x2x10xbf16>, tensor<4x16x10xbf16>
}

// Not rotated, but an attention's query: the copy goes along with the cache's rows.
// REMARK:      one launch instead of 2, saves 1
// CHECK-LABEL: func.func @unrotated(
// CHECK-NEXT:    mla.append ins(c_kv = {{.*}}, q_pe = %arg2 : tensor<4x2x2xbf16>, slots
// CHECK-NOT:     tensor.insert_slice
// CHECK:         return
func.func @unrotated(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %query: tensor<4x2x10xbf16>, %cache: tensor<4x16x10xbf16>, %pages: tensor<1x4xi32>,
    %lens: tensor<1xi32>, %cu: tensor<2xi32>, %o: tensor<4x2x8xbf16>)
    -> (tensor<4x2x8xbf16>, tensor<4x16x10xbf16>) {
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
  %full = tensor.insert_slice %q into %query[0, 0, 8] [4, 2, 2] [1, 1, 1]
      : tensor<4x2x2xbf16> into tensor<4x2x10xbf16>
  %r = mla.absorbed_attention
      ins(query = %full : tensor<4x2x10xbf16>, cache = %new : tensor<4x16x10xbf16>,
          page_table = %pages : tensor<1x4xi32>, kv_lens = %lens : tensor<1xi32>,
          cu_q = %cu : tensor<2xi32>)
      outs(o = %o : tensor<4x2x8xbf16>) {softmax_scale = 0.5 : f64}
  return %r, %new : tensor<4x2x8xbf16>, tensor<4x16x10xbf16>
}

// Nobody says that this is a query.
// CHECK-LABEL: func.func @no_query(
// CHECK:         mla.append ins(c_kv
// CHECK-NEXT:    tensor.insert_slice
func.func @no_query(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %query: tensor<4x2x10xbf16>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x2x10xbf16>, tensor<4x16x10xbf16>) {
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
  %full = tensor.insert_slice %q into %query[0, 0, 8] [4, 2, 2] [1, 1, 1]
      : tensor<4x2x2xbf16> into tensor<4x2x10xbf16>
  return %full, %new : tensor<4x2x10xbf16>, tensor<4x16x10xbf16>
}

// Not the last columns: only the key is fused.
// REMARK:      one launch instead of 2, saves 1
// CHECK-LABEL: func.func @other_columns(
// CHECK:         mla.rope
// CHECK-NEXT:    tensor.insert_slice {{.*}}[0, 0, 6] [4, 2, 2] [1, 1, 1]
// CHECK:         mla.append ins(c_kv
func.func @other_columns(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %query: tensor<4x2x10xbf16>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x2x10xbf16>, tensor<4x16x10xbf16>) {
  %0 = tensor.empty() : tensor<4x2x2xbf16>
  %q_pe = mla.rope
      ins(x = %q : tensor<4x2x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %0 : tensor<4x2x2xbf16>) {rope = #mla.rope<half, head_dim = 2>}
  %full = tensor.insert_slice %q_pe into %query[0, 0, 6] [4, 2, 2] [1, 1, 1]
      : tensor<4x2x2xbf16> into tensor<4x2x10xbf16>
  %1 = tensor.empty() : tensor<4x2xbf16>
  %k_pe = mla.rope
      ins(x = %k : tensor<4x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %1 : tensor<4x2xbf16>) {rope = #mla.rope<half, head_dim = 2>}
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k_pe : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
  return %full, %new : tensor<4x2x10xbf16>, tensor<4x16x10xbf16>
}

// Rotated alone: it stays what it was, and so does its other half.
// REMARK:      (F3) expected key and query to be rotated alike, got a {{.*}} with no rotation
// CHECK-LABEL: func.func @restored(
// CHECK-NEXT:    tensor.empty() : tensor<4x2x2xbf16>
// CHECK-NEXT:    mla.rope
// CHECK-NEXT:    tensor.concat dim(2) %arg6, %{{.*}} {test.kept} :
// CHECK-NEXT:    mla.append ins(c_kv
// CHECK-NEXT:    return
func.func @restored(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %nope: tensor<4x2x8xbf16>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x2x10xbf16>, tensor<4x16x10xbf16>) {
  %0 = tensor.empty() : tensor<4x2x2xbf16>
  %q_pe = mla.rope
      ins(x = %q : tensor<4x2x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %0 : tensor<4x2x2xbf16>) {rope = #mla.rope<half, head_dim = 2>}
  %full = tensor.concat dim(2) %nope, %q_pe {test.kept}
      : (tensor<4x2x8xbf16>, tensor<4x2x2xbf16>) -> tensor<4x2x10xbf16>
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
  return %full, %new : tensor<4x2x10xbf16>, tensor<4x16x10xbf16>
}

// A result of another type than the append would have: canonicalization casts it.
// CHECK-LABEL: func.func @other_type(
// CHECK:         tensor.concat {{.*}} -> tensor<?x2x10xbf16>
// CHECK:         mla.append
func.func @other_type(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %nope: tensor<4x2x8xbf16>,
    %q: tensor<4x2x2xbf16>, %slots: tensor<4xi64>, %table: tensor<?x2xf32>,
    %p: tensor<4xi64>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<?x2x10xbf16>, tensor<4x16x10xbf16>) {
  %0 = tensor.empty() : tensor<4x2x2xbf16>
  %q_pe = mla.rope
      ins(x = %q : tensor<4x2x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %0 : tensor<4x2x2xbf16>) {rope = #mla.rope<half, head_dim = 2>}
  %full = tensor.concat dim(2) %nope, %q_pe
      : (tensor<4x2x8xbf16>, tensor<4x2x2xbf16>) -> tensor<?x2x10xbf16>
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
  return %full, %new : tensor<?x2x10xbf16>, tensor<4x16x10xbf16>
}

// Nothing to fuse with.
// CHECK-LABEL: func.func @alone(
// CHECK:         mla.rope
// CHECK-NEXT:    tensor.insert_slice
func.func @alone(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %query: tensor<4x2x10xbf16>) -> tensor<4x2x10xbf16> {
  %0 = tensor.empty() : tensor<4x2x2xbf16>
  %q_pe = mla.rope
      ins(x = %q : tensor<4x2x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %0 : tensor<4x2x2xbf16>) {rope = #mla.rope<half, head_dim = 2>}
  %full = tensor.insert_slice %q_pe into %query[0, 0, 8] [4, 2, 2] [1, 1, 1]
      : tensor<4x2x2xbf16> into tensor<4x2x10xbf16>
  return %full : tensor<4x2x10xbf16>
}
// REMARK-NOT:  remark
