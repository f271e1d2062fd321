// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A rope that rotates nothing goes, with all that only a rotation needs.

// RUN: mla-opt %s --canonicalize | FileCheck %s
// RUN: mla-opt %s --canonicalize > %t.once
// RUN: mla-opt %t.once --canonicalize | diff %t.once -

// CHECK-LABEL: @disabled_attention
// CHECK: mla.attention
// CHECK-NOT: cos_sin
// CHECK-NOT: positions
// CHECK-SAME: cu_q = %{{[a-z0-9]+}} : tensor<?xi32>) outs(
// CHECK-SAME: {mla.rope_off = "disabled in the rope attribute", phase = #mla.phase<generation>, softmax_scale = 2.500000e-01 : f64}
func.func @disabled_attention(
    %q: tensor<?x2x12xbf16>, %c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>,
    %w: tensor<2x16x16xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>, %table: tensor<?x4xf32>, %p: tensor<?xi64>,
    %out: tensor<?x2x8xbf16>, %cache: tensor<?x8x20xbf16>)
    -> (tensor<?x2x8xbf16>, tensor<?x8x20xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x12xbf16>, c_kv = %c_kv : tensor<?x16xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>, w_kv_b = %w : tensor<2x16x16xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>, cos_sin = %table : tensor<?x4xf32>,
          positions = %p : tensor<?xi64>)
      outs(out = %out : tensor<?x2x8xbf16>, cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<half, head_dim = 4, enabled = false>,
       phase = #mla.phase<generation>, softmax_scale = 0.25 : f64}
  return %r#0, %r#1 : tensor<?x2x8xbf16>, tensor<?x8x20xbf16>
}

// The positional part stays where it isn't rotated: it is moved and cached.
// CHECK-LABEL: @disabled_append
// CHECK: mla.append ins(c_kv = %{{[a-z0-9]+}} : tensor<?x16xbf16>, k_pe = %{{[a-z0-9]+}} : tensor<?x4xbf16>, q_pe = %{{[a-z0-9]+}} : tensor<?x2x4xbf16>, slots = %{{[a-z0-9]+}} : tensor<?xi64>) outs(query = %{{[a-z0-9]+}} : tensor<?x2x20xbf16>, cache = %{{[a-z0-9]+}} : tensor<?x8x20xbf16>) {mla.rope_off = "disabled in the rope attribute"}
func.func @disabled_append(
    %c_kv: tensor<?x16xbf16>, %k_pe: tensor<?x4xbf16>, %q_pe: tensor<?x2x4xbf16>,
    %slots: tensor<?xi64>, %table: tensor<?x4xf32>, %p: tensor<?xi32>,
    %query: tensor<?x2x20xbf16>, %cache: tensor<?x8x20xbf16>)
    -> (tensor<?x2x20xbf16>, tensor<?x8x20xbf16>) {
  %r:2 = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, k_pe = %k_pe : tensor<?x4xbf16>,
          q_pe = %q_pe : tensor<?x2x4xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %table : tensor<?x4xf32>, positions = %p : tensor<?xi32>)
      outs(query = %query : tensor<?x2x20xbf16>,
           cache = %cache : tensor<?x8x20xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4, enabled = false>}
  return %r#0, %r#1 : tensor<?x2x20xbf16>, tensor<?x8x20xbf16>
}

// CHECK-LABEL: @head_dim_0
// CHECK: mla.append ins(c_kv = %{{[a-z0-9]+}} : tensor<?x16xbf16>, slots = %{{[a-z0-9]+}} : tensor<?xi64>) outs(cache = %{{[a-z0-9]+}} : tensor<?x8x16xbf16>) {mla.rope_off = "head_dim = 0"}
func.func @head_dim_0(
    %c_kv: tensor<?x16xbf16>, %slots: tensor<?xi64>, %table: tensor<?x0xf32>,
    %p: tensor<?xi32>, %cache: tensor<?x8x16xbf16>) -> tensor<?x8x16xbf16> {
  %r = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %table : tensor<?x0xf32>, positions = %p : tensor<?xi32>)
      outs(cache = %cache : tensor<?x8x16xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 0>}
  return %r : tensor<?x8x16xbf16>
}

// No attribute, so nothing was ever to be rotated, and there is no reason to note.
// CHECK-LABEL: @no_attribute
// CHECK: mla.append ins(c_kv = %{{[a-z0-9]+}} : tensor<?x16xbf16>, slots = %{{[a-z0-9]+}} : tensor<?xi64>) outs(cache = %{{[a-z0-9]+}} : tensor<?x8x16xbf16>){{$}}
func.func @no_attribute(
    %c_kv: tensor<?x16xbf16>, %slots: tensor<?xi64>, %table: tensor<?x64xf32>,
    %p: tensor<?xi32>, %cache: tensor<?x8x16xbf16>) -> tensor<?x8x16xbf16> {
  %r = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %table : tensor<?x64xf32>, positions = %p : tensor<?xi32>)
      outs(cache = %cache : tensor<?x8x16xbf16>)
  return %r : tensor<?x8x16xbf16>
}

// CHECK-LABEL: @any_shape
// CHECK: mla.append ins(c_kv = %{{[a-z0-9]+}} : tensor<?x16xbf16>, slots = %{{[a-z0-9]+}} : tensor<?xi64>) outs(cache = %{{[a-z0-9]+}} : tensor<?x8x16xbf16>){{$}}
func.func @any_shape(
    %c_kv: tensor<?x16xbf16>, %slots: tensor<?xi64>, %table: tensor<f32>,
    %p: tensor<2x2xi32>, %cache: tensor<?x8x16xbf16>) -> tensor<?x8x16xbf16> {
  %r = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, slots = %slots : tensor<?xi64>,
          cos_sin = %table : tensor<f32>, positions = %p : tensor<2x2xi32>)
      outs(cache = %cache : tensor<?x8x16xbf16>)
  return %r : tensor<?x8x16xbf16>
}

// The first reason stays.
// CHECK-LABEL: @noted_before
// CHECK: {mla.rope_off = "mla-disable-rope phase=all"}
func.func @noted_before(
    %q_pe: tensor<?x2x4xbf16>,
    %query: tensor<?x2x20xbf16>) -> tensor<?x2x20xbf16> {
  %r = mla.append
      ins(q_pe = %q_pe : tensor<?x2x4xbf16>)
      outs(query = %query : tensor<?x2x20xbf16>)
      {mla.rope_off = "mla-disable-rope phase=all",
       rope = #mla.rope<interleaved, head_dim = 4, enabled = false>}
  return %r : tensor<?x2x20xbf16>
}

// CHECK-LABEL: @rope_forwards
// CHECK-SAME: (%[[X:[a-z0-9]+]]: tensor<?x4xbf16>
// CHECK-NEXT: return %[[X]]
func.func @rope_forwards(%x: tensor<?x4xbf16>, %table: tensor<?x4xf32>,
                         %p: tensor<?xi32>, %y: tensor<?x4xbf16>)
    -> tensor<?x4xbf16> {
  %r = mla.rope
      ins(x = %x : tensor<?x4xbf16>, cos_sin = %table : tensor<?x4xf32>,
          positions = %p : tensor<?xi32>)
      outs(y = %y : tensor<?x4xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4, enabled = false>}
  return %r : tensor<?x4xbf16>
}

// Only the shape's type differs.
// CHECK-LABEL: @rope_casts
// CHECK-SAME: (%[[X:[a-z0-9]+]]: tensor<?x4xbf16>
// CHECK-NEXT: %[[CAST:.+]] = tensor.cast %[[X]] : tensor<?x4xbf16> to tensor<3x4xbf16>
// CHECK-NEXT: return %[[CAST]]
func.func @rope_casts(%x: tensor<?x4xbf16>, %y: tensor<3x4xbf16>)
    -> tensor<3x4xbf16> {
  %r = mla.rope ins(x = %x : tensor<?x4xbf16>) outs(y = %y : tensor<3x4xbf16>)
  return %r : tensor<3x4xbf16>
}

// A conversion is something to do.
// CHECK-LABEL: @rope_converts
// CHECK: mla.rope ins(x = %{{[a-z0-9]+}} : tensor<?x4xbf16>) outs(y = %{{[a-z0-9]+}} : tensor<?x4xf32>) {mla.rope_off = "disabled in the rope attribute"}
func.func @rope_converts(%x: tensor<?x4xbf16>, %table: tensor<?x4xf32>,
                         %p: tensor<?xi32>, %y: tensor<?x4xf32>)
    -> tensor<?x4xf32> {
  %r = mla.rope
      ins(x = %x : tensor<?x4xbf16>, cos_sin = %table : tensor<?x4xf32>,
          positions = %p : tensor<?xi32>)
      outs(y = %y : tensor<?x4xf32>)
      {rope = #mla.rope<interleaved, head_dim = 4, enabled = false>}
  return %r : tensor<?x4xf32>
}

// Buffers are what bufferization made of canonical tensors: they are left alone.
// CHECK-LABEL: @buffers
// CHECK: mla.rope ins(x = %{{[a-z0-9]+}} : memref<?x4xbf16>, cos_sin = %{{[a-z0-9]+}} : memref<?x4xf32>, positions = %{{[a-z0-9]+}} : memref<?xi32>)
// CHECK-SAME: {rope = #mla.rope<interleaved, head_dim = 4, enabled = false>}
func.func @buffers(%x: memref<?x4xbf16>, %table: memref<?x4xf32>,
                   %p: memref<?xi32>, %y: memref<?x4xbf16>) {
  mla.rope
      ins(x = %x : memref<?x4xbf16>, cos_sin = %table : memref<?x4xf32>,
          positions = %p : memref<?xi32>)
      outs(y = %y : memref<?x4xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4, enabled = false>}
  return
}
