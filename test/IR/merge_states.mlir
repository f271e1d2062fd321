// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --verify-roundtrip | FileCheck %s
// RUN: mla-opt %s --emit-bytecode | mla-opt | FileCheck %s
// RUN: mla-opt %s --mlir-print-op-generic | mla-opt | FileCheck %s

// CHECK-LABEL: @tensors
// CHECK: %o, %lse = mla.merge_states ins(o_states = %{{[a-z0-9]+}} : tensor<?x?x2x16xbf16>, lse_states = %{{[a-z0-9]+}} : tensor<?x?x2xf32>)
// CHECK-SAME: outs(o = %{{[a-z0-9]+}} : tensor<?x2x16xf32>, lse = %{{[a-z0-9]+}} : tensor<?x2xf32>){{$}}
func.func @tensors(%o_states: tensor<?x?x2x16xbf16>,
                   %lse_states: tensor<?x?x2xf32>, %o: tensor<?x2x16xf32>,
                   %lse: tensor<?x2xf32>)
    -> (tensor<?x2x16xf32>, tensor<?x2xf32>) {
  %r:2 = mla.merge_states
      ins(o_states = %o_states : tensor<?x?x2x16xbf16>,
          lse_states = %lse_states : tensor<?x?x2xf32>)
      outs(o = %o : tensor<?x2x16xf32>, lse = %lse : tensor<?x2xf32>)
  return %r#0, %r#1 : tensor<?x2x16xf32>, tensor<?x2xf32>
}

// CHECK-LABEL: @no_states
// CHECK: %o, %lse = mla.merge_states ins(o_states = %{{[a-z0-9]+}} : tensor<0x?x2x16xbf16>, lse_states = %{{[a-z0-9]+}} : tensor<0x?x2xf32>)
// CHECK-SAME: outs(o = %{{[a-z0-9]+}} : tensor<?x2x16xf32>, lse = %{{[a-z0-9]+}} : tensor<?x2xf32>){{$}}
func.func @no_states(%o_states: tensor<0x?x2x16xbf16>,
                     %lse_states: tensor<0x?x2xf32>, %o: tensor<?x2x16xf32>,
                     %lse: tensor<?x2xf32>)
    -> (tensor<?x2x16xf32>, tensor<?x2xf32>) {
  %r:2 = mla.merge_states
      ins(o_states = %o_states : tensor<0x?x2x16xbf16>,
          lse_states = %lse_states : tensor<0x?x2xf32>)
      outs(o = %o : tensor<?x2x16xf32>, lse = %lse : tensor<?x2xf32>)
  return %r#0, %r#1 : tensor<?x2x16xf32>, tensor<?x2xf32>
}

// CHECK-LABEL: @buffers
// CHECK: mla.merge_states ins(o_states = %{{[a-z0-9]+}} : memref<?x?x2x16xbf16>, lse_states = %{{[a-z0-9]+}} : memref<?x?x2xf32>)
// CHECK-SAME: outs(o = %{{[a-z0-9]+}} : memref<?x2x16xf32>, lse = %{{[a-z0-9]+}} : memref<?x2xf32>){{$}}
func.func @buffers(%o_states: memref<?x?x2x16xbf16>,
                   %lse_states: memref<?x?x2xf32>, %o: memref<?x2x16xf32>,
                   %lse: memref<?x2xf32>) {
  mla.merge_states
      ins(o_states = %o_states : memref<?x?x2x16xbf16>,
          lse_states = %lse_states : memref<?x?x2xf32>)
      outs(o = %o : memref<?x2x16xf32>, lse = %lse : memref<?x2xf32>)
  return
}
