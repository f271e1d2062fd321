// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What shares no memory stays an allocation, and a remark says why. An entry with one of
// them has no bound.

// RUN: mla-opt %s --split-input-file --mla-plan-workspace --remark-format=emitRemark \
// RUN:   --remarks-filter=mla-plan-workspace -o %t 2> %t.remarks
// RUN: FileCheck %s < %t
// RUN: FileCheck %s --check-prefix=REMARK < %t.remarks

// CHECK-NOT: mla.workspace

// A size from the data.
// REMARK: own-memory {{.*}}shares no memory: its size isn't known from the function's arguments when it is called
// CHECK-LABEL: func.func @data(
// CHECK:         memref.alloc(%{{.+}}) : memref<?xf32>
func.func @data(%n: memref<i32>, %y: memref<?xf32>) attributes {mla.host} {
  %i = memref.load %n[] : memref<i32>
  %size = arith.index_cast %i : i32 to index
  %a = memref.alloc(%size) : memref<?xf32>
  memref.copy %a, %y : memref<?xf32> to memref<?xf32>
  return
}

// -----

// Both iterations' buffers are needed at one time. The other one of the loop is not.
// REMARK: own-memory {{.*}}shares no memory: the next iteration of its loop reads it
// REMARK: frame {{.*}}1 allocations in 512 bytes
// CHECK-LABEL: func.func @carried(
// CHECK:         memref.alloc(%{{.+}}) : memref<?xi8>
// CHECK:         scf.for
// CHECK:           memref.alloc() : memref<64xf32>
// CHECK:           memref.view
func.func @carried(%x: memref<64xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%last = %x) -> memref<64xf32> {
    %a = memref.alloc() : memref<64xf32>
    %b = memref.alloc() : memref<64xf64>
    linalg.copy ins(%last : memref<64xf32>) outs(%b : memref<64xf64>)
    linalg.copy ins(%b : memref<64xf64>) outs(%a : memref<64xf32>)
    scf.yield %a : memref<64xf32>
  }
  linalg.copy ins(%r : memref<64xf32>) outs(%x : memref<64xf32>)
  return
}

// -----

// What others keep: by returning it, or in a way that isn't known.
// REMARK: own-memory {{.*}}shares no memory: the function returns it
// REMARK: own-memory {{.*}}shares no memory: the called function may keep or return it
// REMARK: frame {{.*}}1 allocations in 256 bytes
// CHECK-LABEL: func.func private @make(
// CHECK:         memref.alloc() : memref<4xf32>
// CHECK-LABEL: func.func @keep(
// CHECK:         memref.alloc(%{{.+}}) : memref<?xi8>
// CHECK:         memref.view
// CHECK:         memref.alloc() : memref<8xf32>
func.func private @print(memref<8xf32>)
func.func private @make() -> memref<4xf32> {
  %a = memref.alloc() : memref<4xf32>
  return %a : memref<4xf32>
}
func.func private @fill(%a: memref<4xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%a : memref<4xf32>)
  return
}
func.func @keep() attributes {mla.host} {
  %made = call @make() : () -> memref<4xf32>
  %a = memref.alloc() : memref<4xf32>
  call @fill(%a) : (memref<4xf32>) -> ()
  %b = memref.alloc() : memref<8xf32>
  call @print(%b) : (memref<8xf32>) -> ()
  return
}

// -----

// A function that calls itself has many frames; those of what it calls are allocated where
// it calls. So they are in a function of several blocks.
// REMARK: own-memory {{.*}}shares no memory: what is called gets its frame here, at every call
// REMARK: own-memory {{.*}}shares no memory: it calls itself
// REMARK: own-memory {{.*}}shares no memory: it isn't in the only block of a function, scf.for or scf.if
// REMARK: own-memory {{.*}}shares no memory: what is called gets its frame here, at every call
// CHECK-LABEL: func.func private @leaf(
// CHECK-SAME:    memref<?xi8>
// CHECK-LABEL: func.func private @again(
// CHECK:         memref.alloc() : memref<4xf32>
// CHECK:         %[[FRAME:.+]] = memref.alloc(%{{.+}}) : memref<?xi8>
// CHECK:         call @leaf(%{{.+}}, %[[FRAME]])
// CHECK-LABEL: func.func @blocks(
// CHECK:         memref.alloc() : memref<4xf32>
// CHECK:         %[[FRAME:.+]] = memref.alloc(%{{.+}}) : memref<?xi8>
// CHECK:         call @leaf(%{{.+}}, %[[FRAME]])
func.func private @leaf(%x: memref<4xf32>) {
  %a = memref.alloc() : memref<4xf32>
  linalg.copy ins(%x : memref<4xf32>) outs(%a : memref<4xf32>)
  linalg.copy ins(%a : memref<4xf32>) outs(%x : memref<4xf32>)
  return
}
func.func private @again(%x: memref<4xf32>) {
  %a = memref.alloc() : memref<4xf32>
  linalg.copy ins(%x : memref<4xf32>) outs(%a : memref<4xf32>)
  call @leaf(%a) : (memref<4xf32>) -> ()
  call @again(%a) : (memref<4xf32>) -> ()
  return
}
func.func @blocks(%x: memref<4xf32>) {
  cf.br ^next
^next:
  %a = memref.alloc() : memref<4xf32>
  linalg.copy ins(%x : memref<4xf32>) outs(%a : memref<4xf32>)
  call @leaf(%a) : (memref<4xf32>) -> ()
  call @again(%a) : (memref<4xf32>) -> ()
  return
}
