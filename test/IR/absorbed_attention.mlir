// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --verify-roundtrip | FileCheck %s
// RUN: mla-opt %s --emit-bytecode | mla-opt | FileCheck %s
// RUN: mla-opt %s --mlir-print-op-generic | mla-opt | FileCheck %s

// CHECK-LABEL: @tensors
// CHECK: %o, %lse = mla.absorbed_attention ins(query = %{{[a-z0-9]+}} : tensor<?x2x20xbf16>, cache = %{{[a-z0-9]+}} : tensor<?x8x20xbf16>, page_table = %{{[a-z0-9]+}} : tensor<?x?xi32>, kv_lens = %{{[a-z0-9]+}} : tensor<?xi32>, cu_q = %{{[a-z0-9]+}} : tensor<?xi32>)
// CHECK-SAME: outs(o = %{{[a-z0-9]+}} : tensor<?x2x16xbf16>, lse = %{{[a-z0-9]+}} : tensor<?x2xf32>)
// CHECK-SAME: {softmax_scale = 2.500000e-01 : f64}
func.func @tensors(%query: tensor<?x2x20xbf16>, %cache: tensor<?x8x20xbf16>,
                   %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
                   %cu_q: tensor<?xi32>, %o: tensor<?x2x16xbf16>,
                   %lse: tensor<?x2xf32>)
    -> (tensor<?x2x16xbf16>, tensor<?x2xf32>) {
  %r:2 = mla.absorbed_attention
      ins(query = %query : tensor<?x2x20xbf16>,
          cache = %cache : tensor<?x8x20xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>)
      outs(o = %o : tensor<?x2x16xbf16>, lse = %lse : tensor<?x2xf32>)
      {softmax_scale = 2.500000e-01 : f64}
  return %r#0, %r#1 : tensor<?x2x16xbf16>, tensor<?x2xf32>
}

// CHECK-LABEL: @every_operand
// CHECK: %o, %lse = mla.absorbed_attention ins(query = %{{[a-z0-9]+}} : tensor<?x2x20xf8E4M3FN>, cache = %{{[a-z0-9]+}} : tensor<?x8x20xf8E4M3FN>, page_table = %{{[a-z0-9]+}} : tensor<?x?xi32>, kv_lens = %{{[a-z0-9]+}} : tensor<?xi32>, cu_q = %{{[a-z0-9]+}} : tensor<?xi32>, kv_bounds = %{{[a-z0-9]+}} : tensor<?xi32>, schedule = %{{[a-z0-9]+}} : tensor<?xi32>, query_scale = %{{[a-z0-9]+}} : tensor<f32>, latent_scale = %{{[a-z0-9]+}} : tensor<f32>, pe_scale = %{{[a-z0-9]+}} : tensor<f32>, sinks = %{{[a-z0-9]+}} : tensor<2xf32>, indices = %{{[a-z0-9]+}} : tensor<?x?xi32>, max_kv = %{{[a-z0-9]+}} : index)
// CHECK-SAME: outs(o = %{{[a-z0-9]+}} : tensor<?x2x16xbf16>, lse = %{{[a-z0-9]+}} : tensor<?x2xf32>)
// CHECK-SAME: {softmax_scale = 2.500000e-01 : f64}
func.func @every_operand(%query: tensor<?x2x20xf8E4M3FN>,
                         %cache: tensor<?x8x20xf8E4M3FN>,
                         %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
                         %cu_q: tensor<?xi32>, %kv_bounds: tensor<?xi32>,
                         %schedule: tensor<?xi32>, %query_scale: tensor<f32>,
                         %latent_scale: tensor<f32>, %pe_scale: tensor<f32>,
                         %sinks: tensor<2xf32>, %indices: tensor<?x?xi32>,
                         %max_kv: index, %o: tensor<?x2x16xbf16>,
                         %lse: tensor<?x2xf32>)
    -> (tensor<?x2x16xbf16>, tensor<?x2xf32>) {
  %r:2 = mla.absorbed_attention
      ins(query = %query : tensor<?x2x20xf8E4M3FN>,
          cache = %cache : tensor<?x8x20xf8E4M3FN>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          kv_bounds = %kv_bounds : tensor<?xi32>,
          schedule = %schedule : tensor<?xi32>,
          query_scale = %query_scale : tensor<f32>,
          latent_scale = %latent_scale : tensor<f32>,
          pe_scale = %pe_scale : tensor<f32>, sinks = %sinks : tensor<2xf32>,
          indices = %indices : tensor<?x?xi32>, max_kv = %max_kv : index)
      outs(o = %o : tensor<?x2x16xbf16>, lse = %lse : tensor<?x2xf32>)
      {softmax_scale = 2.500000e-01 : f64}
  return %r#0, %r#1 : tensor<?x2x16xbf16>, tensor<?x2xf32>
}

// CHECK-LABEL: @without_lse
// CHECK: %o = mla.absorbed_attention ins(query = %{{[a-z0-9]+}} : tensor<?x2x20xbf16>, cache = %{{[a-z0-9]+}} : tensor<?x8x20xbf16>, page_table = %{{[a-z0-9]+}} : tensor<?x?xi32>, kv_lens = %{{[a-z0-9]+}} : tensor<?xi32>, cu_q = %{{[a-z0-9]+}} : tensor<?xi32>)
// CHECK-SAME: outs(o = %{{[a-z0-9]+}} : tensor<?x2x16xf32>)
// CHECK-SAME: {softmax_scale = 2.500000e-01 : f64}
func.func @without_lse(%query: tensor<?x2x20xbf16>, %cache: tensor<?x8x20xbf16>,
                       %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
                       %cu_q: tensor<?xi32>, %o: tensor<?x2x16xf32>)
    -> tensor<?x2x16xf32> {
  %r = mla.absorbed_attention
      ins(query = %query : tensor<?x2x20xbf16>,
          cache = %cache : tensor<?x8x20xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>)
      outs(o = %o : tensor<?x2x16xf32>)
      {softmax_scale = 2.500000e-01 : f64}
  return %r : tensor<?x2x16xf32>
}

// R = 0.
// CHECK-LABEL: @zero_width
// CHECK: %o, %lse = mla.absorbed_attention ins(query = %{{[a-z0-9]+}} : tensor<?x2x16xbf16>, cache = %{{[a-z0-9]+}} : tensor<?x8x16xbf16>, page_table = %{{[a-z0-9]+}} : tensor<?x?xi32>, kv_lens = %{{[a-z0-9]+}} : tensor<?xi32>, cu_q = %{{[a-z0-9]+}} : tensor<?xi32>)
// CHECK-SAME: outs(o = %{{[a-z0-9]+}} : tensor<?x2x16xbf16>, lse = %{{[a-z0-9]+}} : tensor<?x2xf32>)
// CHECK-SAME: {softmax_scale = 2.500000e-01 : f64}
func.func @zero_width(%query: tensor<?x2x16xbf16>, %cache: tensor<?x8x16xbf16>,
                      %page_table: tensor<?x?xi32>, %kv_lens: tensor<?xi32>,
                      %cu_q: tensor<?xi32>, %o: tensor<?x2x16xbf16>,
                      %lse: tensor<?x2xf32>)
    -> (tensor<?x2x16xbf16>, tensor<?x2xf32>) {
  %r:2 = mla.absorbed_attention
      ins(query = %query : tensor<?x2x16xbf16>,
          cache = %cache : tensor<?x8x16xbf16>,
          page_table = %page_table : tensor<?x?xi32>,
          kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>)
      outs(o = %o : tensor<?x2x16xbf16>, lse = %lse : tensor<?x2xf32>)
      {softmax_scale = 2.500000e-01 : f64}
  return %r#0, %r#1 : tensor<?x2x16xbf16>, tensor<?x2xf32>
}

// CHECK-LABEL: @buffers
// CHECK: mla.absorbed_attention ins(query = %{{[a-z0-9]+}} : memref<?x2x20xbf16>, cache = %{{[a-z0-9]+}} : memref<?x8x20xbf16>, page_table = %{{[a-z0-9]+}} : memref<?x?xi32>, kv_lens = %{{[a-z0-9]+}} : memref<?xi32>, cu_q = %{{[a-z0-9]+}} : memref<?xi32>)
// CHECK-SAME: outs(o = %{{[a-z0-9]+}} : memref<?x2x16xbf16>, lse = %{{[a-z0-9]+}} : memref<?x2xf32>)
// CHECK-SAME: {softmax_scale = 2.500000e-01 : f64}
func.func @buffers(%query: memref<?x2x20xbf16>, %cache: memref<?x8x20xbf16>,
                   %page_table: memref<?x?xi32>, %kv_lens: memref<?xi32>,
                   %cu_q: memref<?xi32>, %o: memref<?x2x16xbf16>,
                   %lse: memref<?x2xf32>) {
  mla.absorbed_attention
      ins(query = %query : memref<?x2x20xbf16>,
          cache = %cache : memref<?x8x20xbf16>,
          page_table = %page_table : memref<?x?xi32>,
          kv_lens = %kv_lens : memref<?xi32>, cu_q = %cu_q : memref<?xi32>)
      outs(o = %o : memref<?x2x16xbf16>, lse = %lse : memref<?x2xf32>)
      {softmax_scale = 2.500000e-01 : f64}
  return
}
