// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s -split-input-file -verify-diagnostics

// C1: tokens.
func.func @f(%kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
             %page_table: tensor<?x?xi32>, %positions: tensor<4xi64>,
             %slots: tensor<5xi64>) {
  // expected-error @+1 {{'mla.slot_mapping' op (C1) slots: expected shape [T] with T = 4, got [5]}}
  %r:2 = mla.slot_mapping
      ins(kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          page_table = %page_table : tensor<?x?xi32>)
      outs(positions = %positions : tensor<4xi64>,
           slots = %slots : tensor<5xi64>)
      {page_size = 8 : i64}
  return
}

// -----

// C2: tensors or buffers.
func.func @f(%kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
             %page_table: tensor<?x?xi32>, %positions: tensor<?xi64>,
             %slots: memref<?xi64>) {
  // expected-error @+1 {{'mla.slot_mapping' op (C2) expected operands to be all tensors or all memrefs, got both}}
  %r = mla.slot_mapping
      ins(kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          page_table = %page_table : tensor<?x?xi32>)
      outs(positions = %positions : tensor<?xi64>,
           slots = %slots : memref<?xi64>)
      {page_size = 8 : i64}
  return
}

// -----

// C3: a page size.
func.func @f(%kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
             %page_table: tensor<?x?xi32>, %positions: tensor<?xi64>,
             %slots: tensor<?xi64>) {
  // expected-error @+1 {{'mla.slot_mapping' op (C3) page_size: expected a positive number, got 0}}
  %r:2 = mla.slot_mapping
      ins(kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          page_table = %page_table : tensor<?x?xi32>)
      outs(positions = %positions : tensor<?xi64>,
           slots = %slots : tensor<?xi64>)
      {page_size = 0 : i64}
  return
}

// -----

// C4: one attribute without the other.
func.func @f(%kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
             %page_table: tensor<?x?xi32>, %cp_rank: index,
             %positions: tensor<?xi64>, %slots: tensor<?xi64>,
             %local_kv_lens: tensor<?xi32>, %kv_bounds: tensor<?xi32>) {
  // expected-error @+1 {{'mla.slot_mapping' op (C4) cp_interleave: expected an attribute beside cp_size, got none}}
  %r:4 = mla.slot_mapping
      ins(kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          page_table = %page_table : tensor<?x?xi32>, cp_rank = %cp_rank : index)
      outs(positions = %positions : tensor<?xi64>,
           slots = %slots : tensor<?xi64>,
           local_kv_lens = %local_kv_lens : tensor<?xi32>,
           kv_bounds = %kv_bounds : tensor<?xi32>)
      {cp_size = 4 : i64, page_size = 8 : i64}
  return
}

// -----

// C4: the other without the one.
func.func @f(%kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
             %page_table: tensor<?x?xi32>, %cp_rank: index,
             %positions: tensor<?xi64>, %slots: tensor<?xi64>,
             %local_kv_lens: tensor<?xi32>, %kv_bounds: tensor<?xi32>) {
  // expected-error @+1 {{'mla.slot_mapping' op (C4) cp_size: expected an attribute beside cp_interleave, got none}}
  %r:4 = mla.slot_mapping
      ins(kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          page_table = %page_table : tensor<?x?xi32>, cp_rank = %cp_rank : index)
      outs(positions = %positions : tensor<?xi64>,
           slots = %slots : tensor<?xi64>,
           local_kv_lens = %local_kv_lens : tensor<?xi32>,
           kv_bounds = %kv_bounds : tensor<?xi32>)
      {cp_interleave = 4 : i64, page_size = 8 : i64}
  return
}

// -----

// C4: a number of ranks.
func.func @f(%kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
             %page_table: tensor<?x?xi32>, %cp_rank: index,
             %positions: tensor<?xi64>, %slots: tensor<?xi64>,
             %local_kv_lens: tensor<?xi32>, %kv_bounds: tensor<?xi32>) {
  // expected-error @+1 {{'mla.slot_mapping' op (C4) cp_size: expected a positive number, got 0}}
  %r:4 = mla.slot_mapping
      ins(kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          page_table = %page_table : tensor<?x?xi32>, cp_rank = %cp_rank : index)
      outs(positions = %positions : tensor<?xi64>,
           slots = %slots : tensor<?xi64>,
           local_kv_lens = %local_kv_lens : tensor<?xi32>,
           kv_bounds = %kv_bounds : tensor<?xi32>)
      {cp_interleave = 1 : i64, cp_size = 0 : i64, page_size = 8 : i64}
  return
}

// -----

// C4: a run of positions.
func.func @f(%kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
             %page_table: tensor<?x?xi32>, %cp_rank: index,
             %positions: tensor<?xi64>, %slots: tensor<?xi64>,
             %local_kv_lens: tensor<?xi32>, %kv_bounds: tensor<?xi32>) {
  // expected-error @+1 {{'mla.slot_mapping' op (C4) cp_interleave: expected a positive number, got -1}}
  %r:4 = mla.slot_mapping
      ins(kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          page_table = %page_table : tensor<?x?xi32>, cp_rank = %cp_rank : index)
      outs(positions = %positions : tensor<?xi64>,
           slots = %slots : tensor<?xi64>,
           local_kv_lens = %local_kv_lens : tensor<?xi32>,
           kv_bounds = %kv_bounds : tensor<?xi32>)
      {cp_interleave = -1 : i64, cp_size = 4 : i64, page_size = 8 : i64}
  return
}

// -----

// C4: a rank among them.
func.func @f(%kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
             %page_table: tensor<?x?xi32>, %positions: tensor<?xi64>,
             %slots: tensor<?xi64>, %local_kv_lens: tensor<?xi32>,
             %kv_bounds: tensor<?xi32>) {
  // expected-error @+1 {{'mla.slot_mapping' op (C4) cp_rank: expected an operand beside cp_size, got none}}
  %r:4 = mla.slot_mapping
      ins(kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          page_table = %page_table : tensor<?x?xi32>)
      outs(positions = %positions : tensor<?xi64>,
           slots = %slots : tensor<?xi64>,
           local_kv_lens = %local_kv_lens : tensor<?xi32>,
           kv_bounds = %kv_bounds : tensor<?xi32>)
      {cp_interleave = 1 : i64, cp_size = 4 : i64, page_size = 8 : i64}
  return
}

// -----

// C4: a rank of none.
func.func @f(%kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
             %page_table: tensor<?x?xi32>, %cp_rank: index,
             %positions: tensor<?xi64>, %slots: tensor<?xi64>) {
  // expected-error @+1 {{'mla.slot_mapping' op (C4) cp_rank: expected none without cp_size, got 'index'}}
  %r:2 = mla.slot_mapping
      ins(kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          page_table = %page_table : tensor<?x?xi32>, cp_rank = %cp_rank : index)
      outs(positions = %positions : tensor<?xi64>,
           slots = %slots : tensor<?xi64>)
      {page_size = 8 : i64}
  return
}

// -----

// C5: lengths of a rank of none.
func.func @f(%kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
             %page_table: tensor<?x?xi32>, %positions: tensor<?xi64>,
             %slots: tensor<?xi64>, %local_kv_lens: tensor<?xi32>) {
  // expected-error @+1 {{'mla.slot_mapping' op (C5) local_kv_lens: expected none without cp_size, got 'tensor<?xi32>'}}
  %r:3 = mla.slot_mapping
      ins(kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          page_table = %page_table : tensor<?x?xi32>)
      outs(positions = %positions : tensor<?xi64>,
           slots = %slots : tensor<?xi64>,
           local_kv_lens = %local_kv_lens : tensor<?xi32>)
      {page_size = 8 : i64}
  return
}

// -----

// C5: bounds of a rank of none.
func.func @f(%kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
             %page_table: tensor<?x?xi32>, %positions: tensor<?xi64>,
             %slots: tensor<?xi64>, %kv_bounds: tensor<?xi32>) {
  // expected-error @+1 {{'mla.slot_mapping' op (C5) kv_bounds: expected none without cp_size, got 'tensor<?xi32>'}}
  %r:3 = mla.slot_mapping
      ins(kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>,
          page_table = %page_table : tensor<?x?xi32>)
      outs(positions = %positions : tensor<?xi64>,
           slots = %slots : tensor<?xi64>,
           kv_bounds = %kv_bounds : tensor<?xi32>)
      {page_size = 8 : i64}
  return
}
