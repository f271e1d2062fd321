// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-finalize-entries --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @entry(
// CHECK-SAME:    %[[A:[^:]*]]: memref<4xf32> {mla.name = "a"}, %[[B:[^:]*]]: memref<?xf32>) {
// CHECK:         call @both(%[[A]], %[[B]]) : (memref<4xf32>, memref<?xf32>) -> ()
// CHECK:         memref.copy %[[A]], %[[B]]
// CHECK-NEXT:    return
func.func @entry(%a: memref<4xf32> {mla.name = "a"}, %b: memref<?xf32>)
    -> (memref<?xf32>, memref<4xf32>) {
  %r:2 = func.call @both(%a, %b)
      : (memref<4xf32>, memref<?xf32>) -> (memref<?xf32>, memref<4xf32>)
  memref.copy %r#1, %r#0 : memref<4xf32> to memref<?xf32>
  return %r#0, %r#1 : memref<?xf32>, memref<4xf32>
}
// CHECK-LABEL: func.func private @both(
// CHECK-SAME:    memref<4xf32>, %{{[^:]*}}: memref<?xf32>) {
func.func private @both(%a: memref<4xf32>, %b: memref<?xf32>)
    -> (memref<?xf32>, memref<4xf32>) {
  return %b, %a : memref<?xf32>, memref<4xf32>
}

// -----

// A cast is looked through; the caller gets its type back. Other results stay.
// CHECK-LABEL: func.func @casts(
// CHECK-SAME:    %[[A:[^:]*]]: memref<4xf32>) {
// CHECK:         %[[I:.*]] = call @cast(%[[A]]) : (memref<4xf32>) -> index
// CHECK:         %[[C:.*]] = memref.cast %[[A]] : memref<4xf32> to memref<?xf32>
// CHECK:         memref.dim %[[C]], %[[I]]
func.func @casts(%a: memref<4xf32>) {
  %r:2 = func.call @cast(%a) : (memref<4xf32>) -> (memref<?xf32>, index)
  %d = memref.dim %r#0, %r#1 : memref<?xf32>
  %m = memref.alloc(%d) : memref<?xf32>
  return
}
// CHECK-LABEL: func.func private @cast(
// CHECK-SAME:    -> index {
func.func private @cast(%a: memref<4xf32>) -> (memref<?xf32>, index) {
  %c0 = arith.constant 0 : index
  %c = memref.cast %a : memref<4xf32> to memref<?xf32>
  return %c, %c0 : memref<?xf32>, index
}

// -----

// What is no entry may return what it likes.
// CHECK-LABEL: func.func @host() -> memref<4xf32> attributes {mla.host}
func.func @host() -> memref<4xf32> attributes {mla.host} {
  %m = memref.alloc() : memref<4xf32>
  return %m : memref<4xf32>
}
// CHECK-LABEL: func.func private @fresh() -> memref<4xf32>
func.func private @fresh() -> memref<4xf32> {
  %m = memref.alloc() : memref<4xf32>
  return %m : memref<4xf32>
}

// -----

// expected-error @+1 {{mla-finalize-entries: expected every result to be in an argument's buffer, got a result of type 'memref<4xf32>'}}
func.func @fresh_entry(%a: memref<4xf32>) -> (memref<4xf32>, memref<4xf32>) {
  %m = memref.alloc() : memref<4xf32>
  return %a, %m : memref<4xf32>, memref<4xf32>
}

// -----

// A part of an argument is not the argument.
// expected-error @+1 {{got a result of type 'memref<2xf32, strided<[1]>>'}}
func.func @part(%a: memref<4xf32>) -> memref<2xf32, strided<[1]>> {
  %s = memref.subview %a[0] [2] [1]
      : memref<4xf32> to memref<2xf32, strided<[1]>>
  return %s : memref<2xf32, strided<[1]>>
}

// -----

// expected-error @+1 {{got a result of type 'index'}}
func.func @scalar(%a: memref<?xf32>) -> index {
  %c0 = arith.constant 0 : index
  %d = memref.dim %a, %c0 : memref<?xf32>
  return %d : index
}
