// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --verify-roundtrip | FileCheck %s
// RUN: mla-opt %s --emit-bytecode | mla-opt | FileCheck %s
// RUN: mla-opt %s --mlir-print-op-generic | mla-opt | FileCheck %s

// CHECK-LABEL: @tensors
// CHECK: %kv = mla.expand_kv ins(c_kv = %{{[a-z0-9]+}} : tensor<?x16xbf16>, w_kv_b = %{{[a-z0-9]+}} : tensor<2x24x16xbf16>)
// CHECK-SAME: outs(kv = %{{[a-z0-9]+}} : tensor<?x2x24xbf16>){{$}}
func.func @tensors(%c_kv: tensor<?x16xbf16>, %w_kv_b: tensor<2x24x16xbf16>,
                   %kv: tensor<?x2x24xbf16>)
    -> tensor<?x2x24xbf16> {
  %r = mla.expand_kv
      ins(c_kv = %c_kv : tensor<?x16xbf16>,
          w_kv_b = %w_kv_b : tensor<2x24x16xbf16>)
      outs(kv = %kv : tensor<?x2x24xbf16>)
  return %r : tensor<?x2x24xbf16>
}

// CHECK-LABEL: @buffers
// CHECK: mla.expand_kv ins(c_kv = %{{[a-z0-9]+}} : memref<?x16xbf16>, w_kv_b = %{{[a-z0-9]+}} : memref<2x24x16xbf16>)
// CHECK-SAME: outs(kv = %{{[a-z0-9]+}} : memref<?x2x24xbf16>){{$}}
func.func @buffers(%c_kv: memref<?x16xbf16>, %w_kv_b: memref<2x24x16xbf16>,
                   %kv: memref<?x2x24xbf16>) {
  mla.expand_kv
      ins(c_kv = %c_kv : memref<?x16xbf16>,
          w_kv_b = %w_kv_b : memref<2x24x16xbf16>)
      outs(kv = %kv : memref<?x2x24xbf16>)
  return
}

// CHECK-LABEL: @slices
// CHECK: %kv = mla.expand_kv ins(c_kv = %{{[a-z0-9]+}} : tensor<6x16xbf16>, w_kv_b = %{{[a-z0-9]+}} : tensor<2x24x16xbf16>)
// CHECK-SAME: outs(kv = %{{[a-z0-9]+}} : tensor<6x2x24xbf16>){{$}}
func.func @slices(%c_kv: tensor<6x16xbf16>, %w_kv_b: tensor<2x24x16xbf16>,
                  %kv: tensor<6x2x24xbf16>)
    -> tensor<6x2x24xbf16> {
  %r = mla.expand_kv
      ins(c_kv = %c_kv : tensor<6x16xbf16>,
          w_kv_b = %w_kv_b : tensor<2x24x16xbf16>)
      outs(kv = %kv : tensor<6x2x24xbf16>)
  return %r : tensor<6x2x24xbf16>
}
