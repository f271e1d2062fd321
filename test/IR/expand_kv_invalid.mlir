// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s -split-input-file -verify-diagnostics

// C1: one size for a symbol.
func.func @f(%c_kv: tensor<?x16xbf16>, %w_kv_b: tensor<2x24x16xbf16>,
             %kv: tensor<?x3x24xbf16>) {
  // expected-error @+1 {{'mla.expand_kv' op (C1) kv: expected shape [S,H,N+V] with H = 2, got [?, 3, 24]}}
  %r = mla.expand_kv
      ins(c_kv = %c_kv : tensor<?x16xbf16>,
          w_kv_b = %w_kv_b : tensor<2x24x16xbf16>)
      outs(kv = %kv : tensor<?x3x24xbf16>)
  return
}

// -----

// C2: tensors or buffers.
func.func @f(%c_kv: tensor<?x16xbf16>, %w_kv_b: memref<2x24x16xbf16>,
             %kv: tensor<?x2x24xbf16>) {
  // expected-error @+1 {{'mla.expand_kv' op (C2) expected operands to be all tensors or all memrefs, got both}}
  %r = mla.expand_kv
      ins(c_kv = %c_kv : tensor<?x16xbf16>,
          w_kv_b = %w_kv_b : memref<2x24x16xbf16>)
      outs(kv = %kv : tensor<?x2x24xbf16>)
  return
}

// -----

// C3: one element type.
func.func @f(%c_kv: tensor<?x16xbf16>, %w_kv_b: tensor<2x24x16xf32>,
             %kv: tensor<?x2x24xbf16>) {
  // expected-error @+1 {{'mla.expand_kv' op (C3) w_kv_b: expected elements of type 'bf16', got 'f32'}}
  %r = mla.expand_kv
      ins(c_kv = %c_kv : tensor<?x16xbf16>,
          w_kv_b = %w_kv_b : tensor<2x24x16xf32>)
      outs(kv = %kv : tensor<?x2x24xbf16>)
  return
}

// -----

// C3: the destination too.
func.func @f(%c_kv: tensor<?x16xbf16>, %w_kv_b: tensor<2x24x16xbf16>,
             %kv: tensor<?x2x24xf16>) {
  // expected-error @+1 {{'mla.expand_kv' op (C3) kv: expected elements of type 'bf16', got 'f16'}}
  %r = mla.expand_kv
      ins(c_kv = %c_kv : tensor<?x16xbf16>,
          w_kv_b = %w_kv_b : tensor<2x24x16xbf16>)
      outs(kv = %kv : tensor<?x2x24xf16>)
  return
}
