// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s -split-input-file -verify-diagnostics

// C1: one number of states.
func.func @f(%o_states: tensor<3x?x2x16xbf16>, %lse_states: tensor<2x?x2xf32>,
             %o: tensor<?x2x16xf32>, %lse: tensor<?x2xf32>) {
  // expected-error @+1 {{'mla.merge_states' op (C1) lse_states: expected shape [S,T,H] with S = 3, got [2, ?, 2]}}
  %r:2 = mla.merge_states
      ins(o_states = %o_states : tensor<3x?x2x16xbf16>,
          lse_states = %lse_states : tensor<2x?x2xf32>)
      outs(o = %o : tensor<?x2x16xf32>, lse = %lse : tensor<?x2xf32>)
  return
}

// -----

// C2: tensors or buffers.
func.func @f(%o_states: tensor<?x?x2x16xbf16>, %lse_states: tensor<?x?x2xf32>,
             %o: tensor<?x2x16xf32>, %lse: memref<?x2xf32>) {
  // expected-error @+1 {{'mla.merge_states' op (C2) expected operands to be all tensors or all memrefs, got both}}
  %r = mla.merge_states
      ins(o_states = %o_states : tensor<?x?x2x16xbf16>,
          lse_states = %lse_states : tensor<?x?x2xf32>)
      outs(o = %o : tensor<?x2x16xf32>, lse = %lse : memref<?x2xf32>)
  return
}

// -----

// The accumulator is f32.
func.func @f(%o_states: tensor<?x?x2x16xbf16>, %lse_states: tensor<?x?x2xf32>,
             %o: tensor<?x2x16xbf16>, %lse: tensor<?x2xf32>) {
  // expected-error @+1 {{'mla.merge_states' op operand #2 must be tensor or memref of f32, but got 'tensor<?x2x16xbf16>'}}
  %r:2 = mla.merge_states
      ins(o_states = %o_states : tensor<?x?x2x16xbf16>,
          lse_states = %lse_states : tensor<?x?x2xf32>)
      outs(o = %o : tensor<?x2x16xbf16>, lse = %lse : tensor<?x2xf32>)
  return
}
