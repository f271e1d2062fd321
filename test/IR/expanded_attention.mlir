// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --verify-roundtrip | FileCheck %s
// RUN: mla-opt %s --emit-bytecode | mla-opt | FileCheck %s
// RUN: mla-opt %s --mlir-print-op-generic | mla-opt | FileCheck %s

// CHECK-LABEL: @tensors
// CHECK: %o, %lse = mla.expanded_attention ins(q = %{{[a-z0-9]+}} : tensor<?x2x12xbf16>, k_nope = %{{[a-z0-9]+}} : tensor<?x2x8xbf16>, k_pe = %{{[a-z0-9]+}} : tensor<?x4xbf16>, v = %{{[a-z0-9]+}} : tensor<?x2x6xbf16>, cu_q = %{{[a-z0-9]+}} : tensor<?xi32>, cu_k = %{{[a-z0-9]+}} : tensor<?xi32>)
// CHECK-SAME: outs(o = %{{[a-z0-9]+}} : tensor<?x2x6xbf16>, lse = %{{[a-z0-9]+}} : tensor<?x2xf32>)
// CHECK-SAME: {causal, softmax_scale = 2.500000e-01 : f64}
func.func @tensors(%q: tensor<?x2x12xbf16>, %k_nope: tensor<?x2x8xbf16>,
                   %k_pe: tensor<?x4xbf16>, %v: tensor<?x2x6xbf16>,
                   %cu_q: tensor<?xi32>, %cu_k: tensor<?xi32>,
                   %o: tensor<?x2x6xbf16>, %lse: tensor<?x2xf32>)
    -> (tensor<?x2x6xbf16>, tensor<?x2xf32>) {
  %r:2 = mla.expanded_attention
      ins(q = %q : tensor<?x2x12xbf16>, k_nope = %k_nope : tensor<?x2x8xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>, v = %v : tensor<?x2x6xbf16>,
          cu_q = %cu_q : tensor<?xi32>, cu_k = %cu_k : tensor<?xi32>)
      outs(o = %o : tensor<?x2x6xbf16>, lse = %lse : tensor<?x2xf32>)
      {causal, softmax_scale = 2.500000e-01 : f64}
  return %r#0, %r#1 : tensor<?x2x6xbf16>, tensor<?x2xf32>
}

// CHECK-LABEL: @window
// CHECK: %o, %lse = mla.expanded_attention ins(q = %{{[a-z0-9]+}} : tensor<?x2x12xbf16>, k_nope = %{{[a-z0-9]+}} : tensor<?x2x8xbf16>, k_pe = %{{[a-z0-9]+}} : tensor<?x4xbf16>, v = %{{[a-z0-9]+}} : tensor<?x2x6xbf16>, cu_q = %{{[a-z0-9]+}} : tensor<?xi32>, kv_lens = %{{[a-z0-9]+}} : tensor<?xi32>, sinks = %{{[a-z0-9]+}} : tensor<2xf32>, indices = %{{[a-z0-9]+}} : tensor<?x?xi32>, window_start = %{{[a-z0-9]+}} : index, window_length = %{{[a-z0-9]+}} : index)
// CHECK-SAME: outs(o = %{{[a-z0-9]+}} : tensor<?x2x6xbf16>, lse = %{{[a-z0-9]+}} : tensor<?x2xf32>)
// CHECK-SAME: {causal, softmax_scale = 2.500000e-01 : f64}
func.func @window(%q: tensor<?x2x12xbf16>, %k_nope: tensor<?x2x8xbf16>,
                  %k_pe: tensor<?x4xbf16>, %v: tensor<?x2x6xbf16>,
                  %cu_q: tensor<?xi32>, %kv_lens: tensor<?xi32>,
                  %sinks: tensor<2xf32>, %indices: tensor<?x?xi32>,
                  %window_start: index, %window_length: index,
                  %o: tensor<?x2x6xbf16>, %lse: tensor<?x2xf32>)
    -> (tensor<?x2x6xbf16>, tensor<?x2xf32>) {
  %r:2 = mla.expanded_attention
      ins(q = %q : tensor<?x2x12xbf16>, k_nope = %k_nope : tensor<?x2x8xbf16>,
          k_pe = %k_pe : tensor<?x4xbf16>, v = %v : tensor<?x2x6xbf16>,
          cu_q = %cu_q : tensor<?xi32>, kv_lens = %kv_lens : tensor<?xi32>,
          sinks = %sinks : tensor<2xf32>, indices = %indices : tensor<?x?xi32>,
          window_start = %window_start : index,
          window_length = %window_length : index)
      outs(o = %o : tensor<?x2x6xbf16>, lse = %lse : tensor<?x2xf32>)
      {causal, softmax_scale = 2.500000e-01 : f64}
  return %r#0, %r#1 : tensor<?x2x6xbf16>, tensor<?x2xf32>
}

// R = 0.
// CHECK-LABEL: @zero_width
// CHECK: %o = mla.expanded_attention ins(q = %{{[a-z0-9]+}} : tensor<?x2x8xbf16>, k_nope = %{{[a-z0-9]+}} : tensor<?x2x8xbf16>, v = %{{[a-z0-9]+}} : tensor<?x2x6xbf16>, cu_q = %{{[a-z0-9]+}} : tensor<?xi32>, cu_k = %{{[a-z0-9]+}} : tensor<?xi32>)
// CHECK-SAME: outs(o = %{{[a-z0-9]+}} : tensor<?x2x6xbf16>)
// CHECK-SAME: {softmax_scale = 2.500000e-01 : f64}
func.func @zero_width(%q: tensor<?x2x8xbf16>, %k_nope: tensor<?x2x8xbf16>,
                      %v: tensor<?x2x6xbf16>, %cu_q: tensor<?xi32>,
                      %cu_k: tensor<?xi32>, %o: tensor<?x2x6xbf16>)
    -> tensor<?x2x6xbf16> {
  %r = mla.expanded_attention
      ins(q = %q : tensor<?x2x8xbf16>, k_nope = %k_nope : tensor<?x2x8xbf16>,
          v = %v : tensor<?x2x6xbf16>, cu_q = %cu_q : tensor<?xi32>,
          cu_k = %cu_k : tensor<?xi32>)
      outs(o = %o : tensor<?x2x6xbf16>)
      {softmax_scale = 2.500000e-01 : f64}
  return %r : tensor<?x2x6xbf16>
}

// CHECK-LABEL: @buffers
// CHECK: mla.expanded_attention ins(q = %{{[a-z0-9]+}} : memref<?x2x12xbf16>, k_nope = %{{[a-z0-9]+}} : memref<?x2x8xbf16>, k_pe = %{{[a-z0-9]+}} : memref<?x4xbf16>, v = %{{[a-z0-9]+}} : memref<?x2x6xbf16>, cu_q = %{{[a-z0-9]+}} : memref<?xi32>, cu_k = %{{[a-z0-9]+}} : memref<?xi32>)
// CHECK-SAME: outs(o = %{{[a-z0-9]+}} : memref<?x2x6xbf16>, lse = %{{[a-z0-9]+}} : memref<?x2xf32>)
// CHECK-SAME: {softmax_scale = 2.500000e-01 : f64}
func.func @buffers(%q: memref<?x2x12xbf16>, %k_nope: memref<?x2x8xbf16>,
                   %k_pe: memref<?x4xbf16>, %v: memref<?x2x6xbf16>,
                   %cu_q: memref<?xi32>, %cu_k: memref<?xi32>,
                   %o: memref<?x2x6xbf16>, %lse: memref<?x2xf32>) {
  mla.expanded_attention
      ins(q = %q : memref<?x2x12xbf16>, k_nope = %k_nope : memref<?x2x8xbf16>,
          k_pe = %k_pe : memref<?x4xbf16>, v = %v : memref<?x2x6xbf16>,
          cu_q = %cu_q : memref<?xi32>, cu_k = %cu_k : memref<?xi32>)
      outs(o = %o : memref<?x2x6xbf16>, lse = %lse : memref<?x2xf32>)
      {softmax_scale = 2.500000e-01 : f64}
  return
}
