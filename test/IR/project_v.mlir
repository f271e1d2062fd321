// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --verify-roundtrip | FileCheck %s
// RUN: mla-opt %s --emit-bytecode | mla-opt | FileCheck %s
// RUN: mla-opt %s --mlir-print-op-generic | mla-opt | FileCheck %s

// CHECK-LABEL: @tensors
// CHECK: %out = mla.project_v ins(o_latent = %{{[a-z0-9]+}} : tensor<?x2x16xbf16>, w_uv = %{{[a-z0-9]+}} : tensor<2x8x16xbf16>)
// CHECK-SAME: outs(out = %{{[a-z0-9]+}} : tensor<?x2x8xbf16>){{$}}
func.func @tensors(%o_latent: tensor<?x2x16xbf16>, %w_uv: tensor<2x8x16xbf16>,
                   %out: tensor<?x2x8xbf16>)
    -> tensor<?x2x8xbf16> {
  %r = mla.project_v
      ins(o_latent = %o_latent : tensor<?x2x16xbf16>,
          w_uv = %w_uv : tensor<2x8x16xbf16>)
      outs(out = %out : tensor<?x2x8xbf16>)
  return %r : tensor<?x2x8xbf16>
}

// CHECK-LABEL: @buffers
// CHECK: mla.project_v ins(o_latent = %{{[a-z0-9]+}} : memref<?x2x16xbf16>, w_uv = %{{[a-z0-9]+}} : memref<2x8x16xbf16>)
// CHECK-SAME: outs(out = %{{[a-z0-9]+}} : memref<?x2x8xbf16>){{$}}
func.func @buffers(%o_latent: memref<?x2x16xbf16>, %w_uv: memref<2x8x16xbf16>,
                   %out: memref<?x2x8xbf16>) {
  mla.project_v
      ins(o_latent = %o_latent : memref<?x2x16xbf16>,
          w_uv = %w_uv : memref<2x8x16xbf16>)
      outs(out = %out : memref<?x2x8xbf16>)
  return
}

// CHECK-LABEL: @slices
// CHECK: mla.project_v ins(o_latent = %{{[a-z0-9]+}} : memref<?x2x16xbf16>, w_uv = %{{[a-z0-9]+}} : memref<2x8x16xbf16>)
// CHECK-SAME: outs(out = %{{[a-z0-9]+}} : memref<?x2x8xbf16, strided<[40, 20, 1], offset: ?>>){{$}}
func.func @slices(%o_latent: memref<?x2x16xbf16>, %w_uv: memref<2x8x16xbf16>,
                  %out: memref<?x2x8xbf16, strided<[40, 20, 1], offset: ?>>) {
  mla.project_v
      ins(o_latent = %o_latent : memref<?x2x16xbf16>,
          w_uv = %w_uv : memref<2x8x16xbf16>)
      outs(out = %out : memref<?x2x8xbf16, strided<[40, 20, 1], offset: ?>>)
  return
}
