// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s -split-input-file -verify-diagnostics

// C1: one size for a symbol.
func.func @f(%q_nope: tensor<?x2x8xbf16>, %w_uk: tensor<2x8x16xbf16>,
             %query: tensor<?x2x17xbf16>) {
  // expected-error @+1 {{'mla.absorb_q' op (C1) query: expected shape [T,H,L] with L = 16, got [?, 2, 17]}}
  %r = mla.absorb_q
      ins(q_nope = %q_nope : tensor<?x2x8xbf16>,
          w_uk = %w_uk : tensor<2x8x16xbf16>)
      outs(query = %query : tensor<?x2x17xbf16>)
  return
}

// -----

// C2: tensors or buffers.
func.func @f(%q_nope: tensor<?x2x8xbf16>, %w_uk: memref<2x8x16xbf16>,
             %query: tensor<?x2x16xbf16>) {
  // expected-error @+1 {{'mla.absorb_q' op (C2) expected operands to be all tensors or all memrefs, got both}}
  %r = mla.absorb_q
      ins(q_nope = %q_nope : tensor<?x2x8xbf16>,
          w_uk = %w_uk : memref<2x8x16xbf16>)
      outs(query = %query : tensor<?x2x16xbf16>)
  return
}

// -----

// C3: one element type.
func.func @f(%q_nope: tensor<?x2x8xbf16>, %w_uk: tensor<2x8x16xf32>,
             %query: tensor<?x2x16xbf16>) {
  // expected-error @+1 {{'mla.absorb_q' op (C3) w_uk: expected elements of type 'bf16', got 'f32'}}
  %r = mla.absorb_q
      ins(q_nope = %q_nope : tensor<?x2x8xbf16>,
          w_uk = %w_uk : tensor<2x8x16xf32>)
      outs(query = %query : tensor<?x2x16xbf16>)
  return
}

// -----

// C3: the destination too.
func.func @f(%q_nope: tensor<?x2x8xbf16>, %w_uk: tensor<2x8x16xbf16>,
             %query: tensor<?x2x16xf16>) {
  // expected-error @+1 {{'mla.absorb_q' op (C3) query: expected elements of type 'bf16', got 'f16'}}
  %r = mla.absorb_q
      ins(q_nope = %q_nope : tensor<?x2x8xbf16>,
          w_uk = %w_uk : tensor<2x8x16xbf16>)
      outs(query = %query : tensor<?x2x16xf16>)
  return
}
