// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --verify-roundtrip | FileCheck %s
// RUN: mla-opt %s --emit-bytecode | mla-opt | FileCheck %s
// RUN: mla-opt %s --mlir-print-op-generic | mla-opt | FileCheck %s

// CHECK-LABEL: @tensors
// CHECK: %query = mla.absorb_q ins(q_nope = %{{[a-z0-9]+}} : tensor<?x2x8xbf16>, w_uk = %{{[a-z0-9]+}} : tensor<2x8x16xbf16>)
// CHECK-SAME: outs(query = %{{[a-z0-9]+}} : tensor<?x2x16xbf16>){{$}}
func.func @tensors(%q_nope: tensor<?x2x8xbf16>, %w_uk: tensor<2x8x16xbf16>,
                   %query: tensor<?x2x16xbf16>)
    -> tensor<?x2x16xbf16> {
  %r = mla.absorb_q
      ins(q_nope = %q_nope : tensor<?x2x8xbf16>,
          w_uk = %w_uk : tensor<2x8x16xbf16>)
      outs(query = %query : tensor<?x2x16xbf16>)
  return %r : tensor<?x2x16xbf16>
}

// CHECK-LABEL: @buffers
// CHECK: mla.absorb_q ins(q_nope = %{{[a-z0-9]+}} : memref<?x2x8xbf16>, w_uk = %{{[a-z0-9]+}} : memref<2x8x16xbf16>)
// CHECK-SAME: outs(query = %{{[a-z0-9]+}} : memref<?x2x16xbf16>){{$}}
func.func @buffers(%q_nope: memref<?x2x8xbf16>, %w_uk: memref<2x8x16xbf16>,
                   %query: memref<?x2x16xbf16>) {
  mla.absorb_q
      ins(q_nope = %q_nope : memref<?x2x8xbf16>,
          w_uk = %w_uk : memref<2x8x16xbf16>)
      outs(query = %query : memref<?x2x16xbf16>)
  return
}

// CHECK-LABEL: @slices
// CHECK: mla.absorb_q ins(q_nope = %{{[a-z0-9]+}} : memref<?x2x8xbf16>, w_uk = %{{[a-z0-9]+}} : memref<2x8x16xbf16>)
// CHECK-SAME: outs(query = %{{[a-z0-9]+}} : memref<?x2x16xbf16, strided<[40, 20, 1], offset: ?>>){{$}}
func.func @slices(%q_nope: memref<?x2x8xbf16>, %w_uk: memref<2x8x16xbf16>,
                  %query: memref<?x2x16xbf16, strided<[40, 20, 1], offset: ?>>) {
  mla.absorb_q
      ins(q_nope = %q_nope : memref<?x2x8xbf16>,
          w_uk = %w_uk : memref<2x8x16xbf16>)
      outs(query = %query : memref<?x2x16xbf16, strided<[40, 20, 1], offset: ?>>)
  return
}
