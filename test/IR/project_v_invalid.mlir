// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s -split-input-file -verify-diagnostics

// C1: one size for a symbol.
func.func @f(%o_latent: tensor<?x2x16xbf16>, %w_uv: tensor<2x8x16xbf16>,
             %out: tensor<?x2x17xbf16>) {
  // expected-error @+1 {{'mla.project_v' op (C1) out: expected shape [T,H,V] with V = 8, got [?, 2, 17]}}
  %r = mla.project_v
      ins(o_latent = %o_latent : tensor<?x2x16xbf16>,
          w_uv = %w_uv : tensor<2x8x16xbf16>)
      outs(out = %out : tensor<?x2x17xbf16>)
  return
}

// -----

// C2: tensors or buffers.
func.func @f(%o_latent: tensor<?x2x16xbf16>, %w_uv: memref<2x8x16xbf16>,
             %out: tensor<?x2x8xbf16>) {
  // expected-error @+1 {{'mla.project_v' op (C2) expected operands to be all tensors or all memrefs, got both}}
  %r = mla.project_v
      ins(o_latent = %o_latent : tensor<?x2x16xbf16>,
          w_uv = %w_uv : memref<2x8x16xbf16>)
      outs(out = %out : tensor<?x2x8xbf16>)
  return
}

// -----

// C3: one element type.
func.func @f(%o_latent: tensor<?x2x16xbf16>, %w_uv: tensor<2x8x16xf32>,
             %out: tensor<?x2x8xbf16>) {
  // expected-error @+1 {{'mla.project_v' op (C3) w_uv: expected elements of type 'bf16', got 'f32'}}
  %r = mla.project_v
      ins(o_latent = %o_latent : tensor<?x2x16xbf16>,
          w_uv = %w_uv : tensor<2x8x16xf32>)
      outs(out = %out : tensor<?x2x8xbf16>)
  return
}

// -----

// C3: the destination too.
func.func @f(%o_latent: tensor<?x2x16xbf16>, %w_uv: tensor<2x8x16xbf16>,
             %out: tensor<?x2x8xf16>) {
  // expected-error @+1 {{'mla.project_v' op (C3) out: expected elements of type 'bf16', got 'f16'}}
  %r = mla.project_v
      ins(o_latent = %o_latent : tensor<?x2x16xbf16>,
          w_uv = %w_uv : tensor<2x8x16xbf16>)
      outs(out = %out : tensor<?x2x8xf16>)
  return
}
