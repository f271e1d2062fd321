// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --verify-roundtrip | FileCheck %s
// RUN: mla-opt %s --emit-bytecode | mla-opt | FileCheck %s
// RUN: mla-opt %s --mlir-print-op-generic | mla-opt | FileCheck %s

// CHECK-LABEL: @rotated
// CHECK: %y = mla.rope ins(x = %{{[a-z0-9]+}} : tensor<?x2x4xbf16>, cos_sin = %{{[a-z0-9]+}} : tensor<?x4xf32>, positions = %{{[a-z0-9]+}} : tensor<?xi32>)
// CHECK-SAME: outs(y = %{{[a-z0-9]+}} : tensor<?x2x4xbf16>)
// CHECK-SAME: {rope = #mla.rope<interleaved, head_dim = 4>}
func.func @rotated(%x: tensor<?x2x4xbf16>, %cos_sin: tensor<?x4xf32>,
                   %positions: tensor<?xi32>, %y: tensor<?x2x4xbf16>)
    -> tensor<?x2x4xbf16> {
  %r = mla.rope
      ins(x = %x : tensor<?x2x4xbf16>, cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi32>)
      outs(y = %y : tensor<?x2x4xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return %r : tensor<?x2x4xbf16>
}

// CHECK-LABEL: @rank_2
// CHECK: %y = mla.rope ins(x = %{{[a-z0-9]+}} : tensor<?x4xbf16>, cos_sin = %{{[a-z0-9]+}} : tensor<?x4xf32>, positions = %{{[a-z0-9]+}} : tensor<?xi32>)
// CHECK-SAME: outs(y = %{{[a-z0-9]+}} : tensor<?x4xf32>)
// CHECK-SAME: {phase = #mla.phase<generation>, rope = #mla.rope<half, head_dim = 4>}
func.func @rank_2(%x: tensor<?x4xbf16>, %cos_sin: tensor<?x4xf32>,
                  %positions: tensor<?xi32>, %y: tensor<?x4xf32>)
    -> tensor<?x4xf32> {
  %r = mla.rope
      ins(x = %x : tensor<?x4xbf16>, cos_sin = %cos_sin : tensor<?x4xf32>,
          positions = %positions : tensor<?xi32>)
      outs(y = %y : tensor<?x4xf32>)
      {phase = #mla.phase<generation>, rope = #mla.rope<half, head_dim = 4>}
  return %r : tensor<?x4xf32>
}

// CHECK-LABEL: @copy
// CHECK: %y = mla.rope ins(x = %{{[a-z0-9]+}} : tensor<?x2x4xbf16>)
// CHECK-SAME: outs(y = %{{[a-z0-9]+}} : tensor<?x2x4xbf16>){{$}}
func.func @copy(%x: tensor<?x2x4xbf16>, %y: tensor<?x2x4xbf16>)
    -> tensor<?x2x4xbf16> {
  %r = mla.rope
      ins(x = %x : tensor<?x2x4xbf16>)
      outs(y = %y : tensor<?x2x4xbf16>)
  return %r : tensor<?x2x4xbf16>
}

// CHECK-LABEL: @buffers
// CHECK: mla.rope ins(x = %{{[a-z0-9]+}} : memref<?x2x4xbf16>, cos_sin = %{{[a-z0-9]+}} : memref<?x4xf32>, positions = %{{[a-z0-9]+}} : memref<?xi32>)
// CHECK-SAME: outs(y = %{{[a-z0-9]+}} : memref<?x2x4xbf16>)
// CHECK-SAME: {rope = #mla.rope<interleaved, head_dim = 4>}
func.func @buffers(%x: memref<?x2x4xbf16>, %cos_sin: memref<?x4xf32>,
                   %positions: memref<?xi32>, %y: memref<?x2x4xbf16>) {
  mla.rope
      ins(x = %x : memref<?x2x4xbf16>, cos_sin = %cos_sin : memref<?x4xf32>,
          positions = %positions : memref<?xi32>)
      outs(y = %y : memref<?x2x4xbf16>)
      {rope = #mla.rope<interleaved, head_dim = 4>}
  return
}
