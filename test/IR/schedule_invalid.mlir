// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s -split-input-file -verify-diagnostics

// C1: B and B + 1.
func.func @f(%kv_lens: tensor<3xi32>, %cu_q: tensor<3xi32>,
             %schedule: tensor<?xi32>) {
  // expected-error @+1 {{'mla.schedule' op (C1) cu_q: expected shape [B+1] with B = 3, got [3]}}
  %r = mla.schedule
      ins(kv_lens = %kv_lens : tensor<3xi32>, cu_q = %cu_q : tensor<3xi32>)
      outs(schedule = %schedule : tensor<?xi32>)
      {num_heads = 2 : i64, page_size = 8 : i64}
  return
}

// -----

// C2: tensors or buffers.
func.func @f(%kv_lens: tensor<?xi32>, %cu_q: memref<?xi32>,
             %schedule: tensor<?xi32>) {
  // expected-error @+1 {{'mla.schedule' op (C2) expected operands to be all tensors or all memrefs, got both}}
  %r = mla.schedule
      ins(kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : memref<?xi32>)
      outs(schedule = %schedule : tensor<?xi32>)
      {num_heads = 2 : i64, page_size = 8 : i64}
  return
}

// -----

// C3: a number of heads.
func.func @f(%kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
             %schedule: tensor<?xi32>) {
  // expected-error @+1 {{'mla.schedule' op (C3) num_heads: expected a positive number, got 0}}
  %r = mla.schedule
      ins(kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>)
      outs(schedule = %schedule : tensor<?xi32>)
      {num_heads = 0 : i64, page_size = 8 : i64}
  return
}

// -----

// C3: a page size.
func.func @f(%kv_lens: tensor<?xi32>, %cu_q: tensor<?xi32>,
             %schedule: tensor<?xi32>) {
  // expected-error @+1 {{'mla.schedule' op (C3) page_size: expected a positive number, got -8}}
  %r = mla.schedule
      ins(kv_lens = %kv_lens : tensor<?xi32>, cu_q = %cu_q : tensor<?xi32>)
      outs(schedule = %schedule : tensor<?xi32>)
      {num_heads = 2 : i64, page_size = -8 : i64}
  return
}

// -----

// C4: room for the plan.
func.func @f(%kv_lens: tensor<3xi32>, %cu_q: tensor<?xi32>,
             %schedule: tensor<4103xi32>) {
  // expected-error @+1 {{'mla.schedule' op (C4) schedule: expected at least 4096 + 2 (B + 1) = 4104 elements, got 4103}}
  %r = mla.schedule
      ins(kv_lens = %kv_lens : tensor<3xi32>, cu_q = %cu_q : tensor<?xi32>)
      outs(schedule = %schedule : tensor<4103xi32>)
      {num_heads = 2 : i64, page_size = 8 : i64}
  return
}
