// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The other parts of a concatenation stay one, and one that no operation of ours
// uses is not ours to touch.

// RUN: mla-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: @three_parts
// CHECK-SAME: (%[[A:[a-z0-9]+]]: tensor<?x2x4xbf16>, %{{[a-z0-9]+}}: tensor<?x2x0xbf16>
// CHECK: %[[Q:.+]] = tensor.concat dim(2) %[[A]], %[[A]] : (tensor<?x2x4xbf16>, tensor<?x2x4xbf16>) -> tensor<?x2x8xbf16>
// CHECK-NOT: tensor.concat
// CHECK: mla.absorb_q ins(q_nope = %[[Q]]
func.func @three_parts(
    %a: tensor<?x2x4xbf16>, %b: tensor<?x2x0xbf16>, %w: tensor<2x8x16xbf16>,
    %query: tensor<?x2x16xbf16>) -> tensor<?x2x16xbf16> {
  %q = tensor.concat dim(2) %a, %b, %a
      : (tensor<?x2x4xbf16>, tensor<?x2x0xbf16>, tensor<?x2x4xbf16>)
      -> tensor<?x2x8xbf16>
  %r = mla.absorb_q
      ins(q_nope = %q : tensor<?x2x8xbf16>, w_uk = %w : tensor<2x8x16xbf16>)
      outs(query = %query : tensor<?x2x16xbf16>)
  return %r : tensor<?x2x16xbf16>
}

// CHECK-LABEL: @not_ours
// CHECK: tensor.concat dim(1) %{{[a-z0-9]+}}, %{{[a-z0-9]+}} : (tensor<?x4xbf16>, tensor<?x0xbf16>)
func.func @not_ours(%a: tensor<?x4xbf16>, %b: tensor<?x0xbf16>)
    -> tensor<?x4xbf16> {
  %r = tensor.concat dim(1) %a, %b
      : (tensor<?x4xbf16>, tensor<?x0xbf16>) -> tensor<?x4xbf16>
  return %r : tensor<?x4xbf16>
}
