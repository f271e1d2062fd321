// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-thread-context --convert-mla-to-runtime --split-input-file \
// RUN:   | FileCheck %s

// An entry's arguments go to its body as addresses of what the caller gave, and on to the
// functions that it calls, through casts; who needs more of one than the runtime's
// calls do takes it apart, once.

// CHECK-LABEL: func.func @step(
// CHECK-SAME:    %[[CTX:[^:]+]]: !llvm.ptr, %[[ARGS:[^:]+]]: !llvm.ptr,
// CHECK:         %[[X:.+]] = llvm.getelementptr %[[ARGS]][0]
// CHECK:         %[[Y:.+]] = llvm.getelementptr %[[ARGS]][152]
// CHECK:         %[[N:.+]] = arith.index_cast
// CHECK:         call @step.body(%[[CTX]], %[[X]], %[[Y]], %[[N]]) : (!llvm.ptr, !llvm.ptr, !llvm.ptr, index)

// CHECK-LABEL: func.func private @step.body(
// CHECK-SAME:    %[[CTX:[^:]+]]: !llvm.ptr, %[[X:[^:]+]]: !llvm.ptr, %[[Y:[^:]+]]: !llvm.ptr, %{{.+}}: index)
// Only the first is used other than by functions: its data, where they begin, sizes and
// strides.
// CHECK-DAG:     llvm.getelementptr %[[X]][0]
// CHECK-DAG:     llvm.getelementptr %[[X]][120]
// CHECK-DAG:     llvm.getelementptr %[[X]][24]
// CHECK-DAG:     llvm.getelementptr %[[X]][72]
// CHECK-DAG:     llvm.getelementptr %[[X]][32]
// CHECK-DAG:     llvm.getelementptr %[[X]][80]
// CHECK:         builtin.unrealized_conversion_cast {{.+}} to memref<?x64xf32>
// CHECK-NOT:     builtin.unrealized_conversion_cast
// CHECK-NOT:     memref.cast
// CHECK:         call @layer(%[[CTX]], %[[X]], %[[Y]]) : (!llvm.ptr, !llvm.ptr, !llvm.ptr) -> ()
// CHECK:         call @layer(%[[CTX]], %[[Y]], %[[X]])
func.func @step(%x: memref<?x64xf32> {mla.name = "x", mla.role = "inout"},
                %y: memref<?x64xf32> {mla.name = "y", mla.role = "inout"},
                %n: index {mla.name = "n", mla.role = "scalar"}) {
  %cast = memref.cast %y : memref<?x64xf32> to memref<8x64xf32>
  call @layer(%x, %cast) : (memref<?x64xf32>, memref<8x64xf32>) -> ()
  %back = memref.cast %cast : memref<8x64xf32> to memref<?x64xf32>
  %other = memref.cast %x : memref<?x64xf32> to memref<8x64xf32>
  call @layer(%back, %other) : (memref<?x64xf32>, memref<8x64xf32>) -> ()
  %view = memref.subview %x[0, 0] [%n, 64] [1, 1] : memref<?x64xf32> to memref<?x64xf32, strided<[64, 1]>>
  mla.rope ins(x = %view : memref<?x64xf32, strided<[64, 1]>>)
      outs(y = %view : memref<?x64xf32, strided<[64, 1]>>)
  return
}

// An operation takes the address itself; nothing is left of the rest.
// CHECK-LABEL: func.func private @layer(
// CHECK-SAME:    !llvm.ptr, %[[X:[^:]+]]: !llvm.ptr, %[[Y:[^:]+]]: !llvm.ptr)
// CHECK-NOT:     builtin.unrealized_conversion_cast
// CHECK-NOT:     llvm.load
// CHECK:         %[[IN:.+]] = llvm.getelementptr %{{.+}}[8]
// CHECK-NEXT:    llvm.store %[[X]], %[[IN]]
// CHECK:         llvm.store %[[Y]]
// CHECK:         llvm.call @mla_rope
func.func private @layer(%x: memref<?x64xf32>, %y: memref<8x64xf32>) {
  mla.rope ins(x = %x : memref<?x64xf32>) outs(y = %y : memref<8x64xf32>)
  return
}

// -----

// One call passes what is no argument of an entry: the second argument stays a memref,
// also where it is passed on.

// CHECK-LABEL: func.func private @mixed.body(
// CHECK-SAME:    !llvm.ptr, %[[X:[^:]+]]: !llvm.ptr)
// CHECK:         call @outer(%{{.+}}, %[[X]], %{{.+}}) : (!llvm.ptr, !llvm.ptr, memref<4x64xf32>) -> ()
func.func @mixed(%x: memref<4x64xf32> {mla.name = "x", mla.role = "inout"}) {
  %alloc = memref.alloc() : memref<4x64xf32>
  call @outer(%x, %x) : (memref<4x64xf32>, memref<4x64xf32>) -> ()
  call @outer(%x, %alloc) : (memref<4x64xf32>, memref<4x64xf32>) -> ()
  return
}
// CHECK-LABEL: func.func private @outer(
// CHECK-SAME:    !llvm.ptr, %[[X:[^:]+]]: !llvm.ptr, %[[Y:[^:]+]]: memref<4x64xf32>)
// CHECK-NEXT:    call @inner(%{{.+}}, %[[X]], %[[Y]])
func.func private @outer(%x: memref<4x64xf32>, %y: memref<4x64xf32>) {
  call @inner(%x, %y) : (memref<4x64xf32>, memref<4x64xf32>) -> ()
  return
}
// CHECK-LABEL: func.func private @inner(
// CHECK-SAME:    !llvm.ptr, %{{[^:]+}}: !llvm.ptr, %{{[^:]+}}: memref<4x64xf32>)
func.func private @inner(%x: memref<4x64xf32>, %y: memref<4x64xf32>) {
  mla.rope ins(x = %x : memref<4x64xf32>) outs(y = %y : memref<4x64xf32>)
  return
}

// -----

// Functions that a host function calls, or that aren't only called, take memrefs.

// CHECK-LABEL: func.func private @from_host(
// CHECK-SAME:    !llvm.ptr, %{{[^:]+}}: memref<4x64xf32>)
func.func private @from_host(%x: memref<4x64xf32>) {
  mla.rope ins(x = %x : memref<4x64xf32>) outs(y = %x : memref<4x64xf32>)
  return
}
func.func @main(%x: memref<4x64xf32>) attributes {mla.host} {
  call @from_host(%x) : (memref<4x64xf32>) -> ()
  return
}
// CHECK-LABEL: func.func private @referred_to(
// CHECK-SAME:    !llvm.ptr, %{{[^:]+}}: memref<4x64xf32>)
func.func private @referred_to(%x: memref<4x64xf32>) {
  mla.rope ins(x = %x : memref<4x64xf32>) outs(y = %x : memref<4x64xf32>)
  return
}
func.func @entry(%x: memref<4x64xf32> {mla.name = "x", mla.role = "inout"})
    attributes {other = @referred_to} {
  call @referred_to(%x) : (memref<4x64xf32>) -> ()
  return
}
