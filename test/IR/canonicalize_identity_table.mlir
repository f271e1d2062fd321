// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A constant table that leaves every row as it is is no rotation. (Results are f32,
// so that operations stay.)

// RUN: mla-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: @identity
// CHECK: mla.rope ins(x = %{{[a-z0-9]+}} : tensor<?x2x4xbf16>) outs(y = %{{[a-z0-9]+}} : tensor<?x2x4xf32>) {mla.rope_off = "identity table"}
func.func @identity(%x: tensor<?x2x4xbf16>, %p: tensor<?xi32>, %y: tensor<?x2x4xf32>)
    -> tensor<?x2x4xf32> {
  %table = arith.constant dense<[[1.0, 1.0, 0.0, 0.0],
                                 [1.0, 1.0, 0.0, -0.0],
                                 [1.0, 1.0, 0.0, 0.0]]> : tensor<3x4xf32>
  %r = mla.rope
      ins(x = %x : tensor<?x2x4xbf16>, cos_sin = %table : tensor<3x4xf32>,
          positions = %p : tensor<?xi32>)
      outs(y = %y : tensor<?x2x4xf32>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return %r : tensor<?x2x4xf32>
}

// CHECK-LABEL: @identity_resource
// CHECK: mla.rope ins(x = %{{[a-z0-9]+}} : tensor<?x2x4xbf16>) outs(y = %{{[a-z0-9]+}} : tensor<?x2x4xf32>) {mla.rope_off = "identity table"}
func.func @identity_resource(%x: tensor<?x2x4xbf16>, %p: tensor<?xi32>, %y: tensor<?x2x4xf32>)
    -> tensor<?x2x4xf32> {
  %table = arith.constant dense_resource<identity> : tensor<2x4xf32>
  %r = mla.rope
      ins(x = %x : tensor<?x2x4xbf16>, cos_sin = %table : tensor<2x4xf32>,
          positions = %p : tensor<?xi32>)
      outs(y = %y : tensor<?x2x4xf32>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return %r : tensor<?x2x4xf32>
}

// Behind a cast.
// CHECK-LABEL: @identity_append
// CHECK: mla.append ins(k_pe = %{{[a-z0-9]+}} : tensor<?x4xbf16>, cu_q = %{{[a-z0-9]+}} : tensor<?xi32>) outs(k_pe_out = %{{[a-z0-9]+}} : tensor<?x4xbf16>) {mla.rope_off = "identity table"}
func.func @identity_append(%k_pe: tensor<?x4xbf16>, %p: tensor<?xi32>,
                           %cu: tensor<?xi32>, %out: tensor<?x4xbf16>)
    -> tensor<?x4xbf16> {
  %c = arith.constant dense<[[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0]]>
      : tensor<2x4xf32>
  %table = tensor.cast %c : tensor<2x4xf32> to tensor<?x4xf32>
  %r = mla.append
      ins(k_pe = %k_pe : tensor<?x4xbf16>, cos_sin = %table : tensor<?x4xf32>,
          positions = %p : tensor<?xi32>, cu_q = %cu : tensor<?xi32>)
      outs(k_pe_out = %out : tensor<?x4xbf16>)
      {rope = #mla.rope<half, head_dim = 4>}
  return %r : tensor<?x4xbf16>
}

// Identity rows, except one.
// CHECK-LABEL: @but_one_cos
// CHECK: mla.rope ins({{.*}}cos_sin = {{.*}}positions = {{.*}}{rope = #mla.rope<interleaved, head_dim = 4>}
func.func @but_one_cos(%x: tensor<?x2x4xbf16>, %p: tensor<?xi32>, %y: tensor<?x2x4xf32>)
    -> tensor<?x2x4xf32> {
  %table = arith.constant dense<[[1.0, 1.0, 0.0, 0.0],
                                 [1.0, 1.0, 0.0, 0.0],
                                 [1.0, 0.999, 0.0, 0.0]]> : tensor<3x4xf32>
  %r = mla.rope
      ins(x = %x : tensor<?x2x4xbf16>, cos_sin = %table : tensor<3x4xf32>,
          positions = %p : tensor<?xi32>)
      outs(y = %y : tensor<?x2x4xf32>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return %r : tensor<?x2x4xf32>
}

// CHECK-LABEL: @but_one_sin
// CHECK: mla.rope ins({{.*}}cos_sin = {{.*}}positions = {{.*}}{rope = #mla.rope<interleaved, head_dim = 4>}
func.func @but_one_sin(%x: tensor<?x2x4xbf16>, %p: tensor<?xi32>, %y: tensor<?x2x4xf32>)
    -> tensor<?x2x4xf32> {
  %table = arith.constant dense<[[1.0, 1.0, 0.0, 0.0],
                                 [1.0, 1.0, 0.0, 0.001],
                                 [1.0, 1.0, 0.0, 0.0]]> : tensor<3x4xf32>
  %r = mla.rope
      ins(x = %x : tensor<?x2x4xbf16>, cos_sin = %table : tensor<3x4xf32>,
          positions = %p : tensor<?xi32>)
      outs(y = %y : tensor<?x2x4xf32>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return %r : tensor<?x2x4xf32>
}

// CHECK-LABEL: @but_one_resource
// CHECK: mla.rope ins({{.*}}cos_sin = {{.*}}positions = {{.*}}{rope = #mla.rope<interleaved, head_dim = 4>}
func.func @but_one_resource(%x: tensor<?x2x4xbf16>, %p: tensor<?xi32>, %y: tensor<?x2x4xf32>)
    -> tensor<?x2x4xf32> {
  %table = arith.constant dense_resource<but_one> : tensor<2x4xf32>
  %r = mla.rope
      ins(x = %x : tensor<?x2x4xbf16>, cos_sin = %table : tensor<2x4xf32>,
          positions = %p : tensor<?xi32>)
      outs(y = %y : tensor<?x2x4xf32>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return %r : tensor<?x2x4xf32>
}

// cos in the wrong columns.
// CHECK-LABEL: @interleaved_columns
// CHECK: mla.rope ins({{.*}}cos_sin = {{.*}}positions = {{.*}}{rope = #mla.rope<interleaved, head_dim = 4>}
func.func @interleaved_columns(%x: tensor<?x2x4xbf16>, %p: tensor<?xi32>, %y: tensor<?x2x4xf32>)
    -> tensor<?x2x4xf32> {
  %table = arith.constant dense<[[1.0, 0.0, 1.0, 0.0]]> : tensor<1x4xf32>
  %r = mla.rope
      ins(x = %x : tensor<?x2x4xbf16>, cos_sin = %table : tensor<1x4xf32>,
          positions = %p : tensor<?xi32>)
      outs(y = %y : tensor<?x2x4xf32>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return %r : tensor<?x2x4xf32>
}

// cos = sin is no identity, whatever they are.
// CHECK-LABEL: @splat_ones
// CHECK: mla.rope ins({{.*}}cos_sin = {{.*}}positions = {{.*}}{rope = #mla.rope<interleaved, head_dim = 4>}
func.func @splat_ones(%x: tensor<?x2x4xbf16>, %p: tensor<?xi32>, %y: tensor<?x2x4xf32>)
    -> tensor<?x2x4xf32> {
  %table = arith.constant dense<1.0> : tensor<3x4xf32>
  %r = mla.rope
      ins(x = %x : tensor<?x2x4xbf16>, cos_sin = %table : tensor<3x4xf32>,
          positions = %p : tensor<?xi32>)
      outs(y = %y : tensor<?x2x4xf32>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return %r : tensor<?x2x4xf32>
}

// CHECK-LABEL: @splat_zeros
// CHECK: mla.rope ins({{.*}}cos_sin = {{.*}}positions = {{.*}}{rope = #mla.rope<interleaved, head_dim = 4>}
func.func @splat_zeros(%x: tensor<?x2x4xbf16>, %p: tensor<?xi32>, %y: tensor<?x2x4xf32>)
    -> tensor<?x2x4xf32> {
  %table = arith.constant dense<0.0> : tensor<3x4xf32>
  %r = mla.rope
      ins(x = %x : tensor<?x2x4xbf16>, cos_sin = %table : tensor<3x4xf32>,
          positions = %p : tensor<?xi32>)
      outs(y = %y : tensor<?x2x4xf32>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return %r : tensor<?x2x4xf32>
}

// CHECK-LABEL: @not_a_number
// CHECK: mla.rope ins({{.*}}cos_sin = {{.*}}positions = {{.*}}{rope = #mla.rope<interleaved, head_dim = 4>}
func.func @not_a_number(%x: tensor<?x2x4xbf16>, %p: tensor<?xi32>, %y: tensor<?x2x4xf32>)
    -> tensor<?x2x4xf32> {
  %table = arith.constant dense<[[0x7FC00000, 1.0, 0.0, 0.0]]> : tensor<1x4xf32>
  %r = mla.rope
      ins(x = %x : tensor<?x2x4xbf16>, cos_sin = %table : tensor<1x4xf32>,
          positions = %p : tensor<?xi32>)
      outs(y = %y : tensor<?x2x4xf32>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return %r : tensor<?x2x4xf32>
}

// A table without rows says nothing.
// CHECK-LABEL: @no_rows
// CHECK: mla.rope ins({{.*}}cos_sin = {{.*}}positions = {{.*}}{rope = #mla.rope<interleaved, head_dim = 4>}
func.func @no_rows(%x: tensor<?x2x4xbf16>, %p: tensor<?xi32>, %y: tensor<?x2x4xf32>)
    -> tensor<?x2x4xf32> {
  %table = arith.constant dense<> : tensor<0x4xf32>
  %r = mla.rope
      ins(x = %x : tensor<?x2x4xbf16>, cos_sin = %table : tensor<0x4xf32>,
          positions = %p : tensor<?xi32>)
      outs(y = %y : tensor<?x2x4xf32>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return %r : tensor<?x2x4xf32>
}

{-#
  dialect_resources: {
    builtin: {
      identity: "0x040000000000803F0000803F00000000000000000000803F0000803F0000000000000000",
      but_one: "0x040000000000803F0000803F00000000000000000000803F0000803F000000000000003F"
    }
  }
#-}
