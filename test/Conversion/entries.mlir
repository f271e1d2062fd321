// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-thread-context --convert-mla-to-runtime | FileCheck %s

// The table of arguments: name, role, dtype, rank, then the sizes. "T" is one size in
// both tensors; the unnamed dynamic size is one of its own.

// CHECK-LABEL: llvm.mlir.global internal constant @step.args()
// CHECK:         llvm.mlir.addressof @mla.string.x
// CHECK:         llvm.mlir.constant(dense<[-2, -1, 64, 0, 0, 0]> : tensor<6xi64>)
// CHECK:         llvm.mlir.addressof @mla.string.y
// CHECK:         llvm.mlir.constant(2 : i32)
// CHECK:         llvm.mlir.constant(dense<[-2, 16, 64, 0, 0, 0]> : tensor<6xi64>)
// CHECK:         llvm.mlir.addressof @mla.string.rows
// CHECK:         llvm.mlir.constant(5 : i32)
// CHECK:         llvm.mlir.constant(13 : i32)

// CHECK-LABEL: func.func @step(
// CHECK-SAME:    %[[CTX:[^:]+]]: !llvm.ptr, %[[ARGS:[^:]+]]: !llvm.ptr, %[[N:[^:]+]]: i64) -> i32
// CHECK:         %[[STATUS:.+]] = llvm.call @mla_begin(%[[CTX]], %{{.*}}, %{{.*}}, %{{.*}}, %[[ARGS]], %[[N]])
// CHECK:         %[[OK:.+]] = arith.cmpi eq, %[[STATUS]]
// CHECK:         cf.cond_br %[[OK]], ^[[ACCEPTED:.+]], ^[[REFUSED:.+]]
// CHECK:       ^[[REFUSED]]:
// CHECK-NEXT:    return %[[STATUS]]
// CHECK:       ^[[ACCEPTED]]:
// The second argument's data are 152 bytes further.
// CHECK:         llvm.getelementptr %[[ARGS]][152]
// CHECK:         call @step.body(%[[CTX]],
// CHECK-NEXT:    %[[END:.+]] = llvm.call @mla_end(%[[CTX]])
// CHECK-NEXT:    return %[[END]]

// CHECK-LABEL: func.func private @step.body(
// CHECK-NOT:     mla.name
// CHECK:         llvm.call @mla_rope
func.func @step(
    %x: memref<?x?x64xf32> {mla.name = "x", mla.role = "input", mla.dims = ["T", "", ""]},
    %y: memref<?x16x64xf32> {mla.name = "y", mla.role = "output", mla.dims = ["T", "", ""]},
    %rows: index {mla.name = "rows", mla.role = "scalar"}) {
  mla.rope ins(x = %x : memref<?x?x64xf32>) outs(y = %y : memref<?x16x64xf32>)
  return
}

// An argument of packed rows says so: the flag is the fifth field.
// CHECK-LABEL: llvm.mlir.global internal constant @append.args()
// CHECK:         llvm.mlir.addressof @mla.string.c_kv
// CHECK:         llvm.mlir.constant(0 : i32) : i32
// CHECK-NEXT:    llvm.insertvalue %{{.+}}[4]
// CHECK:         llvm.mlir.addressof @mla.string.cache
// CHECK:         llvm.mlir.constant(1 : i32) : i32
// CHECK-NEXT:    llvm.insertvalue %{{.+}}[4]
func.func @append(
    %c_kv: memref<?x128xf16> {mla.name = "c_kv", mla.role = "input"},
    %slots: memref<?xi64> {mla.name = "slots", mla.role = "input"},
    %cache: memref<?x8x132xi8> {mla.name = "cache", mla.role = "inout"}) {
  mla.append ins(c_kv = %c_kv : memref<?x128xf16>, slots = %slots : memref<?xi64>)
      outs(cache = %cache : memref<?x8x132xi8>)
  return
}

// A size called "?" is one of its own, too.
// CHECK-LABEL: llvm.mlir.global internal constant @nameless.args()
// CHECK-COUNT-2: llvm.mlir.constant(dense<[-1, 64, 0, 0, 0, 0]> : tensor<6xi64>)
func.func @nameless(
    %x: memref<?x64xf32> {mla.name = "x", mla.role = "input", mla.dims = ["?", ""]},
    %y: memref<?x64xf32> {mla.name = "y", mla.role = "output", mla.dims = ["?", ""]}) {
  mla.rope ins(x = %x : memref<?x64xf32>) outs(y = %y : memref<?x64xf32>)
  return
}

// Calls inside the module go to the body.
// CHECK-LABEL: func.func private @caller(
// CHECK:         call @step.body(
func.func private @caller(%x: memref<?x?x64xf32>, %y: memref<?x16x64xf32>, %rows: index) {
  call @step(%x, %y, %rows) : (memref<?x?x64xf32>, memref<?x16x64xf32>, index) -> ()
  return
}

// A public function without anything to call isn't an entry of ours.
// CHECK-LABEL: func.func @foreign(
// CHECK-SAME:    memref<4xf32>) -> memref<4xf32>
func.func @foreign(%x: memref<4xf32>) -> memref<4xf32> {
  return %x : memref<4xf32>
}
