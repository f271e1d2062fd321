// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-fuse-append | FileCheck %s

// Fused once, nothing is left to do.
// RUN: mla-opt %s --mla-fuse-append -o %t
// RUN: mla-opt %t --mla-fuse-append | diff %t -

// The query first, the rotations last: one append, where the last of them was.
// CHECK-LABEL: func.func @any_order(
// CHECK-SAME:    %[[C_KV:[^:]*]]: tensor<4x8xbf16>, %[[K:[^:]*]]: tensor<4x2xbf16>, %[[Q:[^:]*]]: tensor<4x2x2xbf16>,
// CHECK-NEXT:    %[[SUM:.*]] = arith.addf
// CHECK-NEXT:    %[[QUERY:.*]], %[[CACHE:.*]] = mla.append ins(c_kv = %[[C_KV]] : tensor<4x8xbf16>, k_pe = %[[K]] : tensor<4x2xbf16>, q_pe = %[[Q]] : tensor<4x2x2xbf16>, slots = %{{[^,]*}}, cos_sin = %{{[^,]*}}, positions = %{{[^,]*}})
// CHECK-SAME:      outs(query = %{{.*}} : tensor<4x2x10xbf16>, cache = %{{.*}} : tensor<4x16x10xbf16>) {phase = #mla.phase<generation>, rope = #mla.rope<half, head_dim = 2>}
// CHECK-NEXT:    return %[[QUERY]], %[[CACHE]], %[[SUM]]
func.func @any_order(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %query: tensor<4x2x10xbf16>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x2x10xbf16>, tensor<4x16x10xbf16>, tensor<4x8xbf16>) {
  %0 = tensor.empty() : tensor<4x2x2xbf16>
  %q_pe = mla.rope
      ins(x = %q : tensor<4x2x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %0 : tensor<4x2x2xbf16>)
      {rope = #mla.rope<half, head_dim = 2>, phase = #mla.phase<generation>}
  %full = mla.append ins(q_pe = %q_pe : tensor<4x2x2xbf16>)
      outs(query = %query : tensor<4x2x10xbf16>)
  %sum = arith.addf %c_kv, %c_kv : tensor<4x8xbf16>
  %1 = tensor.empty() : tensor<4x2xbf16>
  %k_pe = mla.rope
      ins(x = %k : tensor<4x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %1 : tensor<4x2xbf16>)
      {rope = #mla.rope<half, head_dim = 2>, phase = #mla.phase<generation>}
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k_pe : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
  return %full, %new, %sum : tensor<4x2x10xbf16>, tensor<4x16x10xbf16>, tensor<4x8xbf16>
}

// Read before the query is there: the query's definition moves up.
// CHECK-LABEL: func.func @read_in_between(
// CHECK:         %[[SUM:.*]] = arith.addf
// CHECK-NEXT:    mla.append ins({{.*}} q_pe = %[[SUM]] : tensor<4x2x2xbf16>,
// CHECK-NEXT:    %[[ROWS:.*]] = mla.gather_kv
// CHECK-NEXT:    return
func.func @read_in_between(
    %c_kv: tensor<4x8xbf16>, %k_pe: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %pages: tensor<1x4xi32>, %lens: tensor<1xi32>,
    %length: index, %rows: tensor<64x8xbf16>, %pe: tensor<64x2xbf16>,
    %query: tensor<4x2x10xbf16>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x2x10xbf16>, tensor<64x8xbf16>) {
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k_pe : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
  %read:2 = mla.gather_kv
      ins(cache = %new : tensor<4x16x10xbf16>, page_table = %pages : tensor<1x4xi32>,
          kv_lens = %lens : tensor<1xi32>, window_length = %length : index)
      outs(c_kv = %rows : tensor<64x8xbf16>, k_pe = %pe : tensor<64x2xbf16>)
  %q_pe = arith.addf %q, %q : tensor<4x2x2xbf16>
  %full = mla.append ins(q_pe = %q_pe : tensor<4x2x2xbf16>)
      outs(query = %query : tensor<4x2x10xbf16>)
  return %full, %read#0 : tensor<4x2x10xbf16>, tensor<64x8xbf16>
}

// In f32 to the quantization: direct. c_kv is widened for the sake of that alone.
// CHECK-LABEL: func.func @direct(
// CHECK-NEXT:    mla.append ins(c_kv = %{{.*}} : tensor<4x8xbf16>, k_pe = %{{.*}} : tensor<4x2xbf16>, {{.*}} {rope = #mla.rope<interleaved, head_dim = 2>}
func.func @direct(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %slots: tensor<4xi64>,
    %table: tensor<?x2xf32>, %p: tensor<4xi64>, %scale: tensor<f32>,
    %cache: tensor<4x16x10xf8E4M3FN>) -> tensor<4x16x10xf8E4M3FN> {
  %wide = arith.extf %c_kv : tensor<4x8xbf16> to tensor<4x8xf32>
  %0 = tensor.empty() : tensor<4x2xf32>
  %k_pe = mla.rope
      ins(x = %k : tensor<4x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %0 : tensor<4x2xf32>) {rope = #mla.rope<interleaved, head_dim = 2>}
  %new = mla.append
      ins(c_kv = %wide : tensor<4x8xf32>, k_pe = %k_pe : tensor<4x2xf32>,
          slots = %slots : tensor<4xi64>, latent_scale = %scale : tensor<f32>,
          pe_scale = %scale : tensor<f32>)
      outs(cache = %cache : tensor<4x16x10xf8E4M3FN>)
  return %new : tensor<4x16x10xf8E4M3FN>
}

// Rounded to bf16 on the way: the fused append says so, whatever the attribute was.
// CHECK-LABEL: func.func @through_input_type(
// CHECK-NEXT:    mla.append {{.*}} {rope = #mla.rope<interleaved, head_dim = 2>, rounding = #mla.rounding<through_input_type>}
func.func @through_input_type(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %slots: tensor<4xi64>,
    %table: tensor<?x2xf32>, %p: tensor<4xi64>, %scale: tensor<f32>,
    %cache: tensor<4x16x10xf8E4M3FN>) -> tensor<4x16x10xf8E4M3FN> {
  %0 = tensor.empty() : tensor<4x2xbf16>
  %k_pe = mla.rope
      ins(x = %k : tensor<4x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %0 : tensor<4x2xbf16>) {rope = #mla.rope<interleaved, head_dim = 2>}
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k_pe : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>, latent_scale = %scale : tensor<f32>,
          pe_scale = %scale : tensor<f32>)
      outs(cache = %cache : tensor<4x16x10xf8E4M3FN>) {rounding = #mla.rounding<direct>}
  return %new : tensor<4x16x10xf8E4M3FN>
}

// Widened, rotated in f32, rounded back: as frameworks do it; one rotation of bf16.
// CHECK-LABEL: func.func @through_f32(
// CHECK-NEXT:    mla.append ins(q_pe = %{{.*}} : tensor<4x2x2xbf16>, cos_sin = {{.*}} {rope = #mla.rope<interleaved, head_dim = 2>}
// CHECK-NEXT:    return
func.func @through_f32(
    %q: tensor<4x2x2xbf16>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %query: tensor<4x2x10xbf16>) -> tensor<4x2x10xbf16> {
  %wide = arith.extf %q : tensor<4x2x2xbf16> to tensor<4x2x2xf32>
  %0 = tensor.empty() : tensor<4x2x2xf32>
  %rotated = mla.rope
      ins(x = %wide : tensor<4x2x2xf32>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %0 : tensor<4x2x2xf32>) {rope = #mla.rope<interleaved, head_dim = 2>}
  %q_pe = arith.truncf %rotated : tensor<4x2x2xf32> to tensor<4x2x2xbf16>
  %full = mla.append ins(q_pe = %q_pe : tensor<4x2x2xbf16>)
      outs(query = %query : tensor<4x2x10xbf16>)
  return %full : tensor<4x2x10xbf16>
}

// The reason why a rotation is off goes with it.
// CHECK-LABEL: func.func @disabled(
// CHECK-NEXT:    mla.append ins(c_kv = %{{[^,]*}}, k_pe = %{{[^,]*}}, slots = %{{[^,]*}}) {{.*}} {mla.rope_off = "mla-disable-rope phase=all"}
func.func @disabled(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %slots: tensor<4xi64>,
    %table: tensor<?x2xf32>, %p: tensor<4xi64>, %cache: tensor<4x16x10xbf16>)
    -> tensor<4x16x10xbf16> {
  %0 = tensor.empty() : tensor<4x2xbf16>
  %k_pe = mla.rope
      ins(x = %k : tensor<4x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %0 : tensor<4x2xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2, enabled = false>,
       mla.rope_off = "mla-disable-rope phase=all"}
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k_pe : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
  return %new : tensor<4x16x10xbf16>
}

// An append's own rope that is off goes too, and says why.
// CHECK-LABEL: func.func @disabled_append(
// CHECK-NEXT:    mla.append ins(c_kv = %{{[^,]*}}, k_pe = %{{[^,]*}}, q_pe = %{{[^,]*}}, slots = %{{[^,]*}}) {{.*}} {mla.rope_off = "disabled in the rope attribute"}
// CHECK-NEXT:    return
func.func @disabled_append(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %q: tensor<4x2x2xbf16>,
    %slots: tensor<4xi64>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %query: tensor<4x2x10xbf16>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x2x10xbf16>, tensor<4x16x10xbf16>) {
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2, enabled = false>}
  %full = mla.append ins(q_pe = %q : tensor<4x2x2xbf16>)
      outs(query = %query : tensor<4x2x10xbf16>)
  return %full, %new : tensor<4x2x10xbf16>, tensor<4x16x10xbf16>
}

// Appends that rotate themselves, the query's columns in place.
// CHECK-LABEL: func.func @own_rotations(
// CHECK-NEXT:    mla.append ins(c_kv = %{{[^,]*}}, k_pe = %{{[^,]*}}, slots = %{{[^,]*}}, cos_sin = %{{[^,]*}}, positions = %{{[^,]*}}) outs(query = {{.*}}, cache = {{.*}}) {rope = #mla.rope<interleaved, head_dim = 2>}
// CHECK-NEXT:    return
func.func @own_rotations(
    %c_kv: tensor<4x8xbf16>, %k: tensor<4x2xbf16>, %slots: tensor<4xi64>,
    %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %query: tensor<4x2x10xbf16>, %cache: tensor<4x16x10xbf16>)
    -> (tensor<4x2x10xbf16>, tensor<4x16x10xbf16>) {
  %0 = tensor.empty() : tensor<4x2xbf16>
  %k_pe = mla.rope
      ins(x = %k : tensor<4x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %0 : tensor<4x2xbf16>) {rope = #mla.rope<interleaved, head_dim = 2>}
  %new = mla.append
      ins(c_kv = %c_kv : tensor<4x8xbf16>, k_pe = %k_pe : tensor<4x2xbf16>,
          slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<4x16x10xbf16>)
  %full = mla.append
      ins(cos_sin = %table : tensor<?x2xf32>, positions = %p : tensor<4xi64>)
      outs(query = %query : tensor<4x2x10xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 2>}
  return %full, %new : tensor<4x2x10xbf16>, tensor<4x16x10xbf16>
}

// Two layers, interleaved: each query with its own layer's keys.
// CHECK-LABEL: func.func @layers(
// CHECK-SAME:    %[[C0:[^:]*]]: tensor<?x8xbf16>, %[[Q0:[^:]*]]: tensor<?x2x8xbf16>, %[[C1:[^:]*]]: tensor<4x8xbf16>, %[[Q1:[^:]*]]: tensor<4x2x8xbf16>
// CHECK:         mla.append ins(c_kv = %[[C0]] : tensor<?x8xbf16>, q_nope = %[[Q0]]
// CHECK-NEXT:    mla.append ins(c_kv = %[[C1]] : tensor<4x8xbf16>, q_nope = %[[Q1]]
// CHECK-NEXT:    return
func.func @layers(
    %c0: tensor<?x8xbf16>, %q0: tensor<?x2x8xbf16>, %c1: tensor<4x8xbf16>,
    %q1: tensor<4x2x8xbf16>, %slots0: tensor<?xi64>, %slots1: tensor<4xi64>,
    %query1: tensor<4x2x8xbf16>, %cache0: tensor<4x16x8xbf16>,
    %cache1: tensor<4x16x8xbf16>)
    -> (tensor<?x2x8xbf16>, tensor<4x2x8xbf16>, tensor<4x16x8xbf16>, tensor<4x16x8xbf16>) {
  %c0_index = arith.constant 0 : index
  %tokens = tensor.dim %c0, %c0_index : tensor<?x8xbf16>
  %query0 = tensor.empty(%tokens) : tensor<?x2x8xbf16>
  %new0 = mla.append
      ins(c_kv = %c0 : tensor<?x8xbf16>, slots = %slots0 : tensor<?xi64>)
      outs(cache = %cache0 : tensor<4x16x8xbf16>)
  %new1 = mla.append
      ins(c_kv = %c1 : tensor<4x8xbf16>, slots = %slots1 : tensor<4xi64>)
      outs(cache = %cache1 : tensor<4x16x8xbf16>)
  %full0 = mla.append ins(q_nope = %q0 : tensor<?x2x8xbf16>)
      outs(query = %query0 : tensor<?x2x8xbf16>)
  %full1 = mla.append ins(q_nope = %q1 : tensor<4x2x8xbf16>)
      outs(query = %query1 : tensor<4x2x8xbf16>)
  return %full0, %full1, %new0, %new1
      : tensor<?x2x8xbf16>, tensor<4x2x8xbf16>, tensor<4x16x8xbf16>, tensor<4x16x8xbf16>
}

// What isn't an append's stays: other operations, rotations for others, buffers.
func.func private @other(tensor<4x2xf32>) -> tensor<4x2xf32>

// CHECK-LABEL: func.func @foreign(
// CHECK-NEXT:    tensor.empty
// CHECK-NEXT:    mla.rope
// CHECK-NEXT:    linalg.copy
// CHECK-NEXT:    call @other
// CHECK-NEXT:    mla.append
// CHECK-NEXT:    return
func.func @foreign(
    %x: tensor<4x2xbf16>, %table: tensor<?x2xf32>, %p: tensor<4xi64>,
    %y: tensor<4x2xf32>, %c_kv: memref<4x8xbf16>, %slots: memref<4xi64>,
    %cache: memref<4x16x8xbf16>) -> tensor<4x2xf32> {
  %0 = tensor.empty() : tensor<4x2xbf16>
  %r = mla.rope
      ins(x = %x : tensor<4x2xbf16>, cos_sin = %table : tensor<?x2xf32>,
          positions = %p : tensor<4xi64>)
      outs(y = %0 : tensor<4x2xbf16>) {rope = #mla.rope<interleaved, head_dim = 2>}
  %wide = linalg.copy ins(%r : tensor<4x2xbf16>) outs(%y : tensor<4x2xf32>) -> tensor<4x2xf32>
  %z = call @other(%wide) : (tensor<4x2xf32>) -> tensor<4x2xf32>
  mla.append ins(c_kv = %c_kv : memref<4x8xbf16>, slots = %slots : memref<4xi64>)
      outs(cache = %cache : memref<4x16x8xbf16>)
  return %z : tensor<4x2xf32>
}
