// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-thread-context | FileCheck %s

// CHECK-LABEL: func.func @entry(
// CHECK-SAME:    %[[CTX:[^:]+]]: !llvm.ptr {mla.context}, %[[X:[^:]+]]: memref
// CHECK:         call @layer(%[[CTX]], %[[X]]) : (!llvm.ptr, memref<4x8xf32>) -> ()
func.func @entry(%x: memref<4x8xf32>) {
  call @layer(%x) : (memref<4x8xf32>) -> ()
  return
}

// CHECK-LABEL: func.func private @layer(
// CHECK-SAME:    !llvm.ptr {mla.context}
func.func private @layer(%x: memref<4x8xf32>) {
  mla.rope ins(x = %x : memref<4x8xf32>) outs(y = %x : memref<4x8xf32>)
  return
}

// CHECK-LABEL: func.func @copies(
// CHECK-SAME:    !llvm.ptr {mla.context}
func.func @copies(%x: memref<4x8xf32>, %y: memref<4x8xf32>) {
  memref.copy %x, %y : memref<4x8xf32> to memref<4x8xf32>
  return
}

// CHECK-LABEL: func.func @main()
// CHECK-SAME:    attributes {mla.host}
// CHECK:         %[[CTX:.+]] = llvm.call @mla_context_default() : () -> !llvm.ptr
// CHECK:         %[[X:.+]] = memref.alloc
// CHECK:         call @layer(%[[CTX]], %[[X]])
// CHECK:         call @host_callee() : () -> ()
func.func @main() attributes {mla.host} {
  %x = memref.alloc() : memref<4x8xf32>
  call @layer(%x) : (memref<4x8xf32>) -> ()
  call @host_callee() : () -> ()
  return
}

// A host function that has nothing to call gets no context.
// CHECK-LABEL: func.func @host_callee()
// CHECK-NEXT:    return
func.func @host_callee() attributes {mla.host} {
  return
}

// CHECK-LABEL: func.func @foreign(
// CHECK-SAME:    %{{[^:]+}}: memref<4xf32>, %{{[^:]+}}: index)
// CHECK:         call @declared(
func.func @foreign(%x: memref<4xf32>, %i: index) -> f32 {
  %v = memref.load %x[%i] : memref<4xf32>
  call @declared(%x) : (memref<4xf32>) -> ()
  return %v : f32
}

// CHECK-LABEL: func.func private @declared(memref<4xf32>)
func.func private @declared(memref<4xf32>)
