// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --verify-roundtrip | FileCheck %s
// RUN: mla-opt %s --emit-bytecode | mla-opt | FileCheck %s
// RUN: mla-opt %s --mlir-print-op-generic | mla-opt | FileCheck %s

// CHECK-LABEL: @tensors
// CHECK: %positions, %slots = mla.slot_mapping ins(kv_lens = %{{[a-z0-9]+}} : tensor<?xi32>, cu_q = %{{[a-z0-9]+}} : tensor<?xi32>, page_table = %{{[a-z0-9]+}} : tensor<?x?xi32>)
// CHECK-SAME: outs(positions = %{{[a-z0-9]+}} : tensor<?xi64>, slots = %{{[a-z0-9]+}} : tensor<?xi64>)
// CHECK-SAME: {page_size = 8 : i64}
func.func @tensors(%kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
                   %page_table: tensor<?x?xi32>, %positions: tensor<?xi64>,
                   %slots: tensor<?xi64>)
    -> (tensor<?xi64>, tensor<?xi64>) {
  %r:2 = mla.slot_mapping
      ins(kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          page_table = %page_table : tensor<?x?xi32>)
      outs(positions = %positions : tensor<?xi64>,
           slots = %slots : tensor<?xi64>)
      {page_size = 8 : i64}
  return %r#0, %r#1 : tensor<?xi64>, tensor<?xi64>
}

// CHECK-LABEL: @context_parallel
// CHECK: %positions, %slots, %local_kv_lens, %kv_bounds = mla.slot_mapping ins(kv_lens = %{{[a-z0-9]+}} : tensor<?xi32>, cu_q = %{{[a-z0-9]+}} : tensor<?xi32>, page_table = %{{[a-z0-9]+}} : tensor<?x?xi32>, cp_rank = %{{[a-z0-9]+}} : index)
// CHECK-SAME: outs(positions = %{{[a-z0-9]+}} : tensor<?xi64>, slots = %{{[a-z0-9]+}} : tensor<?xi64>, local_kv_lens = %{{[a-z0-9]+}} : tensor<?xi32>, kv_bounds = %{{[a-z0-9]+}} : tensor<?xi32>)
// CHECK-SAME: {cp_interleave = 1 : i64, cp_size = 4 : i64, page_size = 8 : i64}
func.func @context_parallel(%kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
                            %page_table: tensor<?x?xi32>, %cp_rank: index,
                            %positions: tensor<?xi64>, %slots: tensor<?xi64>,
                            %local_kv_lens: tensor<?xi32>,
                            %kv_bounds: tensor<?xi32>)
    -> (tensor<?xi64>, tensor<?xi64>, tensor<?xi32>, tensor<?xi32>) {
  %r:4 = mla.slot_mapping
      ins(kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          page_table = %page_table : tensor<?x?xi32>, cp_rank = %cp_rank : index)
      outs(positions = %positions : tensor<?xi64>,
           slots = %slots : tensor<?xi64>,
           local_kv_lens = %local_kv_lens : tensor<?xi32>,
           kv_bounds = %kv_bounds : tensor<?xi32>)
      {cp_interleave = 1 : i64, cp_size = 4 : i64, page_size = 8 : i64}
  return %r#0, %r#1, %r#2, %r#3 : tensor<?xi64>, tensor<?xi64>, tensor<?xi32>, tensor<?xi32>
}

// CHECK-LABEL: @buffers
// CHECK: mla.slot_mapping ins(kv_lens = %{{[a-z0-9]+}} : memref<?xi32>, cu_q = %{{[a-z0-9]+}} : memref<?xi32>, page_table = %{{[a-z0-9]+}} : memref<?x?xi32>)
// CHECK-SAME: outs(positions = %{{[a-z0-9]+}} : memref<?xi64>, slots = %{{[a-z0-9]+}} : memref<?xi64>)
// CHECK-SAME: {page_size = 8 : i64}
func.func @buffers(%kv_lens: memref<?xi32>, %cu_q: memref<?xi32>,
                   %page_table: memref<?x?xi32>, %positions: memref<?xi64>,
                   %slots: memref<?xi64>) {
  mla.slot_mapping
      ins(kv_lens = %kv_lens : memref<?xi32>, cu_q = %cu_q : memref<?xi32>,
          page_table = %page_table : memref<?x?xi32>)
      outs(positions = %positions : memref<?xi64>,
           slots = %slots : memref<?xi64>)
      {page_size = 8 : i64}
  return
}
