// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: @no_states
// CHECK-SAME: %[[O:[a-z0-9]+]]: tensor<?x2x16xf32>, %[[LSE:[a-z0-9]+]]: tensor<?x2xf32>
// CHECK-NEXT: return %[[O]], %[[LSE]]
func.func @no_states(
    %os: tensor<0x?x2x16xbf16>, %ls: tensor<0x?x2xf32>, %o: tensor<?x2x16xf32>,
    %lse: tensor<?x2xf32>) -> (tensor<?x2x16xf32>, tensor<?x2xf32>) {
  %r:2 = mla.merge_states
      ins(o_states = %os : tensor<0x?x2x16xbf16>, lse_states = %ls : tensor<0x?x2xf32>)
      outs(o = %o : tensor<?x2x16xf32>, lse = %lse : tensor<?x2xf32>)
  return %r#0, %r#1 : tensor<?x2x16xf32>, tensor<?x2xf32>
}

// CHECK-LABEL: @empty_constant
// CHECK-SAME: %[[O:[a-z0-9]+]]: tensor<3x1x16xf32>, %[[LSE:[a-z0-9]+]]: tensor<3x1xf32>
// CHECK-NEXT: return %[[O]], %[[LSE]]
func.func @empty_constant(
    %os: tensor<2x3x1x16xbf16>, %o: tensor<3x1x16xf32>, %lse: tensor<3x1xf32>)
    -> (tensor<3x1x16xf32>, tensor<3x1xf32>) {
  %ls = arith.constant dense<0xFF800000> : tensor<2x3x1xf32>
  %r:2 = mla.merge_states
      ins(o_states = %os : tensor<2x3x1x16xbf16>, lse_states = %ls : tensor<2x3x1xf32>)
      outs(o = %o : tensor<3x1x16xf32>, lse = %lse : tensor<3x1xf32>)
  return %r#0, %r#1 : tensor<3x1x16xf32>, tensor<3x1xf32>
}

// CHECK-LABEL: @empty_fill
// CHECK-NOT: mla.merge_states
// CHECK: return
func.func @empty_fill(
    %os: tensor<?x?x2x16xbf16>, %ls: tensor<?x?x2xf32>, %o: tensor<?x2x16xf32>,
    %lse: tensor<?x2xf32>) -> (tensor<?x2x16xf32>, tensor<?x2xf32>) {
  %none = arith.constant 0xFF800000 : f32
  %empty = linalg.fill ins(%none : f32) outs(%ls : tensor<?x?x2xf32>)
      -> tensor<?x?x2xf32>
  %r:2 = mla.merge_states
      ins(o_states = %os : tensor<?x?x2x16xbf16>, lse_states = %empty : tensor<?x?x2xf32>)
      outs(o = %o : tensor<?x2x16xf32>, lse = %lse : tensor<?x2xf32>)
  return %r#0, %r#1 : tensor<?x2x16xf32>, tensor<?x2xf32>
}

// One state that isn't empty.
// CHECK-LABEL: @not_empty
// CHECK: mla.merge_states
func.func @not_empty(
    %os: tensor<2x1x1x16xbf16>, %o: tensor<1x1x16xf32>, %lse: tensor<1x1xf32>)
    -> (tensor<1x1x16xf32>, tensor<1x1xf32>) {
  %ls = arith.constant dense<[[[0xFF800000]], [[-3.0e38]]]> : tensor<2x1x1xf32>
  %r:2 = mla.merge_states
      ins(o_states = %os : tensor<2x1x1x16xbf16>, lse_states = %ls : tensor<2x1x1xf32>)
      outs(o = %o : tensor<1x1x16xf32>, lse = %lse : tensor<1x1xf32>)
  return %r#0, %r#1 : tensor<1x1x16xf32>, tensor<1x1xf32>
}

// +inf is no empty state.
// CHECK-LABEL: @positive_infinity
// CHECK: mla.merge_states
func.func @positive_infinity(
    %os: tensor<2x1x1x16xbf16>, %o: tensor<1x1x16xf32>, %lse: tensor<1x1xf32>)
    -> (tensor<1x1x16xf32>, tensor<1x1xf32>) {
  %ls = arith.constant dense<0x7F800000> : tensor<2x1x1xf32>
  %r:2 = mla.merge_states
      ins(o_states = %os : tensor<2x1x1x16xbf16>, lse_states = %ls : tensor<2x1x1xf32>)
      outs(o = %o : tensor<1x1x16xf32>, lse = %lse : tensor<1x1xf32>)
  return %r#0, %r#1 : tensor<1x1x16xf32>, tensor<1x1xf32>
}
