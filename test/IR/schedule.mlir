// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --verify-roundtrip | FileCheck %s
// RUN: mla-opt %s --emit-bytecode | mla-opt | FileCheck %s
// RUN: mla-opt %s --mlir-print-op-generic | mla-opt | FileCheck %s

// CHECK-LABEL: @tensors
// CHECK: %schedule = mla.schedule ins(kv_lens = %{{[a-z0-9]+}} : tensor<?xi32>, cu_q = %{{[a-z0-9]+}} : tensor<?xi32>)
// CHECK-SAME: outs(schedule = %{{[a-z0-9]+}} : tensor<?xi32>)
// CHECK-SAME: {num_heads = 2 : i64, page_size = 8 : i64}
func.func @tensors(%kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
                   %schedule: tensor<?xi32>)
    -> tensor<?xi32> {
  %r = mla.schedule
      ins(kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>)
      outs(schedule = %schedule : tensor<?xi32>)
      {num_heads = 2 : i64, page_size = 8 : i64}
  return %r : tensor<?xi32>
}

// CHECK-LABEL: @static
// CHECK: %schedule = mla.schedule ins(kv_lens = %{{[a-z0-9]+}} : tensor<3xi32>, cu_q = %{{[a-z0-9]+}} : tensor<4xi32>)
// CHECK-SAME: outs(schedule = %{{[a-z0-9]+}} : tensor<4104xi32>)
// CHECK-SAME: {num_heads = 2 : i64, page_size = 8 : i64}
func.func @static(%kv_lens: tensor<3xi32>, %cu_q: tensor<4xi32>,
                  %schedule: tensor<4104xi32>)
    -> tensor<4104xi32> {
  %r = mla.schedule
      ins(kv_lens = %kv_lens : tensor<3xi32>, cu_q = %cu_q : tensor<4xi32>)
      outs(schedule = %schedule : tensor<4104xi32>)
      {num_heads = 2 : i64, page_size = 8 : i64}
  return %r : tensor<4104xi32>
}

// CHECK-LABEL: @buffers
// CHECK: mla.schedule ins(kv_lens = %{{[a-z0-9]+}} : memref<?xi32>, cu_q = %{{[a-z0-9]+}} : memref<?xi32>)
// CHECK-SAME: outs(schedule = %{{[a-z0-9]+}} : memref<?xi32>)
// CHECK-SAME: {num_heads = 2 : i64, page_size = 8 : i64}
func.func @buffers(%kv_lens: memref<?xi32>, %cu_q: memref<?xi32>,
                   %schedule: memref<?xi32>) {
  mla.schedule
      ins(kv_lens = %kv_lens : memref<?xi32>, cu_q = %cu_q : memref<?xi32>)
      outs(schedule = %schedule : memref<?xi32>)
      {num_heads = 2 : i64, page_size = 8 : i64}
  return
}
