// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What isn't metadata on tensors stays byte for byte: duplicates, dead code, calls,
// loops, unknown operations, and mla on buffers.
// RUN: mla-opt %s -allow-unregistered-dialect -o %t.before
// RUN: mla-opt %s -allow-unregistered-dialect --mla-hoist-metadata -o %t.after
// RUN: cmp %t.before %t.after

func.func private @helper(%x: tensor<?xi32>) -> (index, index) {
  %c0 = arith.constant 0 : index
  %also_c0 = arith.constant 0 : index
  %a = tensor.dim %x, %c0 : tensor<?xi32>
  %b = tensor.dim %x, %also_c0 : tensor<?xi32>
  %dead = tensor.empty(%a) : tensor<?xi64>
  return %a, %b : index, index
}
func.func @foreign(%x: tensor<?xi32>) -> (index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %0:2 = call @helper(%x) : (tensor<?xi32>) -> (index, index)
  %1:2 = call @helper(%x) : (tensor<?xi32>) -> (index, index)
  scf.for %i = %c0 to %0#0 step %c1 {
    %invariant = arith.addi %0#1, %1#1 : index
    "foreign.use"(%invariant) {callee = @helper} : (index) -> ()
  }
  return %0#0, %1#0 : index, index
}
func.func @buffers(%pages: memref<?x?xi32>, %lens: memref<?xi32>, %cu: memref<?xi32>,
                   %positions: memref<?xi64>, %slots: memref<?xi64>) {
  mla.slot_mapping
      ins(kv_lens = %lens : memref<?xi32>, cu_q = %cu : memref<?xi32>,
          page_table = %pages : memref<?x?xi32>)
      outs(positions = %positions : memref<?xi64>, slots = %slots : memref<?xi64>)
      {page_size = 16 : i64}
  mla.slot_mapping
      ins(kv_lens = %lens : memref<?xi32>, cu_q = %cu : memref<?xi32>,
          page_table = %pages : memref<?x?xi32>)
      outs(positions = %positions : memref<?xi64>, slots = %slots : memref<?xi64>)
      {page_size = 16 : i64}
  return
}
