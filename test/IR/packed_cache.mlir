// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Caches whose rows are bytes: block-scaled latents, their scales, 16-bit pe.

// RUN: mla-opt %s --verify-roundtrip | FileCheck %s
// RUN: mla-opt %s --emit-bytecode | mla-opt | FileCheck %s

// 512 + 4 * 4 + 2 * 64 bytes, without a scale operand.
// CHECK-LABEL: @attention
// CHECK: mla.attention
// CHECK-SAME: cache = %{{[a-z0-9]+}} : tensor<?x64x656xi8>
func.func @attention(%q: tensor<?x16x192xbf16>, %c_kv: tensor<?x512xbf16>,
                     %k_pe: tensor<?x64xbf16>, %w: tensor<16x256x512xbf16>,
                     %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
                     %cu: tensor<?xi32>, %out: tensor<?x16x128xbf16>,
                     %cache: tensor<?x64x656xi8>)
    -> (tensor<?x16x128xbf16>, tensor<?x64x656xi8>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x16x192xbf16>, c_kv = %c_kv : tensor<?x512xbf16>,
          k_pe = %k_pe : tensor<?x64xbf16>, w_kv_b = %w : tensor<16x256x512xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>)
      outs(out = %out : tensor<?x16x128xbf16>, cache = %cache : tensor<?x64x656xi8>)
      {softmax_scale = 1.0 : f64}
  return %r#0, %r#1 : tensor<?x16x128xbf16>, tensor<?x64x656xi8>
}

// R = 0: 128 + 4 bytes.
// CHECK-LABEL: @append
// CHECK: mla.append
// CHECK-SAME: tensor<?x8x132xi8>
func.func @append(%c_kv: tensor<?x128xf32>, %slots: tensor<?xi64>,
                  %cache: tensor<?x8x132xi8>) -> tensor<?x8x132xi8> {
  %r = mla.append ins(c_kv = %c_kv : tensor<?x128xf32>, slots = %slots : tensor<?xi64>)
      outs(cache = %cache : tensor<?x8x132xi8>)
  return %r : tensor<?x8x132xi8>
}

// Rows further apart than they are wide, as those of one layer of several; one
// page after the other at a multiple of 4 bytes.
// CHECK-LABEL: @absorbed_attention
// CHECK: memref<?x8x140xi8, strided<[?, 420, 1], offset: 140>>
func.func @absorbed_attention(
    %query: memref<?x2x132xf16>,
    %cache: memref<?x8x140xi8, strided<[?, 420, 1], offset: 140>>,
    %pages: memref<?x?xi32>, %lens: memref<?xi32>, %cu: memref<?xi32>,
    %o: memref<?x2x128xf16>) {
  mla.absorbed_attention
      ins(query = %query : memref<?x2x132xf16>,
          cache = %cache : memref<?x8x140xi8, strided<[?, 420, 1], offset: 140>>,
          page_table = %pages : memref<?x?xi32>, kv_lens = %lens : memref<?xi32>,
          cu_q = %cu : memref<?xi32>)
      outs(o = %o : memref<?x2x128xf16>) {softmax_scale = 1.0 : f64}
  return
}

// The rows are what they are whatever type they are gathered in.
// CHECK-LABEL: @gather_kv
// CHECK: mla.gather_kv
// CHECK-SAME: tensor<?x8x140xi8>
func.func @gather_kv(%cache: tensor<?x8x140xi8>, %pages: tensor<?x?xi32>,
                     %lens: tensor<?xi32>, %length: index,
                     %c_kv: tensor<?x128xf32>, %k_pe: tensor<?x4xf32>)
    -> (tensor<?x128xf32>, tensor<?x4xf32>) {
  %r:2 = mla.gather_kv
      ins(cache = %cache : tensor<?x8x140xi8>, page_table = %pages : tensor<?x?xi32>,
          kv_lens = %lens : tensor<?xi32>, window_length = %length : index)
      outs(c_kv = %c_kv : tensor<?x128xf32>, k_pe = %k_pe : tensor<?x4xf32>)
  return %r#0, %r#1 : tensor<?x128xf32>, tensor<?x4xf32>
}
