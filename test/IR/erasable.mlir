// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// On tensors there are no effects: what nobody uses goes, and twins are merged. On
// buffers every operation stays.

// RUN: mla-opt %s --cse --canonicalize | FileCheck %s

// CHECK-LABEL: @unused
// CHECK-NEXT: return
func.func @unused(%c_kv: tensor<?x16xbf16>, %slots: tensor<?xi64>,
                  %cache: tensor<?x8x16xbf16>) {
  %r = mla.append
      ins(c_kv = %c_kv : tensor<?x16xbf16>, slots = %slots : tensor<?xi64>)
      outs(cache = %cache : tensor<?x8x16xbf16>)
  return
}

// CHECK-LABEL: @twins
// CHECK: %[[R:.+]] = mla.absorb_q
// CHECK-NOT: mla.absorb_q
// CHECK: return %[[R]], %[[R]]
func.func @twins(%q: tensor<?x2x8xbf16>, %w: tensor<2x8x16xbf16>,
                 %query: tensor<?x2x16xbf16>)
    -> (tensor<?x2x16xbf16>, tensor<?x2x16xbf16>) {
  %0 = mla.absorb_q
      ins(q_nope = %q : tensor<?x2x8xbf16>, w_uk = %w : tensor<2x8x16xbf16>)
      outs(query = %query : tensor<?x2x16xbf16>)
  %1 = mla.absorb_q
      ins(q_nope = %q : tensor<?x2x8xbf16>, w_uk = %w : tensor<2x8x16xbf16>)
      outs(query = %query : tensor<?x2x16xbf16>)
  return %0, %1 : tensor<?x2x16xbf16>, tensor<?x2x16xbf16>
}

// CHECK-LABEL: @buffers
// CHECK-COUNT-2: mla.absorb_q
func.func @buffers(%q: memref<?x2x8xbf16>, %w: memref<2x8x16xbf16>,
                   %query: memref<?x2x16xbf16>) {
  mla.absorb_q
      ins(q_nope = %q : memref<?x2x8xbf16>, w_uk = %w : memref<2x8x16xbf16>)
      outs(query = %query : memref<?x2x16xbf16>)
  mla.absorb_q
      ins(q_nope = %q : memref<?x2x8xbf16>, w_uk = %w : memref<2x8x16xbf16>)
      outs(query = %query : memref<?x2x16xbf16>)
  return
}
