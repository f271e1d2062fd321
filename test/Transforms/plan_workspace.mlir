// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --split-input-file --mla-plan-workspace --canonicalize --cse | FileCheck %s
// RUN: mla-opt %s --split-input-file --mla-plan-workspace=poison-dead --canonicalize --cse \
// RUN:   | FileCheck %s --check-prefix=POISON

// Two buffers at a time: the third is where the first was. Sizes that are known are one
// number, and so is the bound.

// CHECK-LABEL: func.func @chain(
// CHECK-SAME:    mla.workspace = "1280"
// CHECK-DAG:     %[[C0:.+]] = arith.constant 0 : index
// CHECK-DAG:     %[[C1024:.+]] = arith.constant 1024 : index
// CHECK:         %[[FRAME:.+]] = memref.alloc() : memref<1280xi8>
// CHECK:         %[[A:.+]] = memref.view %[[FRAME]][%[[C0]]][] : memref<1280xi8> to memref<4x64xf32>
// CHECK:         linalg.copy {{.*}} outs(%[[A]] : memref<4x64xf32>)
// CHECK:         %[[B:.+]] = memref.view %[[FRAME]][%[[C1024]]][] : memref<1280xi8> to memref<64xbf16>
// CHECK:         linalg.broadcast ins(%[[B]] : memref<64xbf16>) outs(%{{.*}} : memref<4x64xbf16>)
// CHECK-NOT:     memref.alloc

// POISON-LABEL: func.func @chain(
// POISON-DAG:     %[[NAN:.+]] = arith.constant -1 : i32
// POISON:         linalg.copy ins(%[[A:.+]] : memref<4x64xf32>) outs(%[[B:.+]] : memref<4x64xbf16>)
// POISON:         %[[DEAD:.+]] = memref.view %{{.+}}[%{{.+}}][] : memref<{{.+}}xi8> to memref<256xi32>
// POISON-NEXT:    linalg.fill ins(%[[NAN]] : i32) outs(%[[DEAD]]
func.func @chain(%x: memref<4x64xf32>, %y: memref<4x64xbf16>) {
  %a = memref.alloc() : memref<4x64xf32>
  linalg.copy ins(%x : memref<4x64xf32>) outs(%a : memref<4x64xf32>)
  %b = memref.alloc() : memref<64xbf16>
  %row = memref.subview %a[0, 0] [1, 64] [1, 1] : memref<4x64xf32> to memref<64xf32, strided<[1]>>
  linalg.copy ins(%a : memref<4x64xf32>) outs(%y : memref<4x64xbf16>)
  linalg.copy ins(%row : memref<64xf32, strided<[1]>>) outs(%b : memref<64xbf16>)
  %c = memref.alloc() : memref<4x64xbf16>
  linalg.broadcast ins(%b : memref<64xbf16>) outs(%c : memref<4x64xbf16>) dimensions = [0]
  linalg.copy ins(%c : memref<4x64xbf16>) outs(%y : memref<4x64xbf16>)
  return
}

// -----

// All calls of a function share a frame, which the caller passes. The size is that of the
// callee's arguments; dims of one name are one.

// CHECK-LABEL: func.func private @layer(
// CHECK-SAME:    %{{.+}}: memref<?x64xbf16>, %{{.+}}: memref<?x64xbf16>, %[[N:.+]]: index, %[[FRAME:.+]]: memref<?xi8>)
// CHECK-DAG:     %[[C0:.+]] = arith.constant 0 : index
// CHECK-DAG:     %[[C256:.+]] = arith.constant 256 : index
// CHECK-DAG:     %[[SECOND:.+]] = arith.muli %[[N]], %[[C256]] : index
// CHECK-DAG:     memref.view %[[FRAME]][%[[C0]]][%[[N]]]
// CHECK-DAG:     memref.view %[[FRAME]][%[[SECOND]]][%[[N]]]
// CHECK-NOT:     memref.alloc
// CHECK-LABEL: func.func @step(
// CHECK-SAME:    mla.workspace = "T*512 + ((T*128 + 255) // 256)*512"
// CHECK:         %[[ARENA:.+]] = memref.alloc(
// CHECK:         %[[FRAME:.+]] = memref.view %[[ARENA]]
// CHECK-NOT:     memref.alloc
// CHECK:         call @layer({{.*}}, %[[ARENA]])
// CHECK:         call @layer({{.*}}, %[[ARENA]])
// CHECK:         call @layer({{.*}}, %[[ARENA]])
func.func private @layer(%x: memref<?x64xbf16>, %y: memref<?x64xbf16>, %n: index) {
  %a = memref.alloc(%n) : memref<?x64xf32>
  %b = memref.alloc(%n) : memref<?x64xf32>
  linalg.copy ins(%x : memref<?x64xbf16>) outs(%a : memref<?x64xf32>)
  linalg.copy ins(%a : memref<?x64xf32>) outs(%b : memref<?x64xf32>)
  linalg.copy ins(%b : memref<?x64xf32>) outs(%y : memref<?x64xbf16>)
  return
}
func.func @step(%x: memref<?x64xbf16> {mla.dims = ["T", ""], mla.name = "x"},
                %y: memref<?x64xbf16> {mla.dims = ["T", ""], mla.name = "y"}) {
  %c0 = arith.constant 0 : index
  %t = memref.dim %x, %c0 : memref<?x64xbf16>
  %u = memref.dim %y, %c0 : memref<?x64xbf16>
  %m = memref.alloc(%t) : memref<?x64xbf16>
  call @layer(%x, %m, %t) : (memref<?x64xbf16>, memref<?x64xbf16>, index) -> ()
  %o = memref.alloc(%u) : memref<?x64xbf16>
  call @layer(%m, %o, %u) : (memref<?x64xbf16>, memref<?x64xbf16>, index) -> ()
  call @layer(%o, %y, %t) : (memref<?x64xbf16>, memref<?x64xbf16>, index) -> ()
  return
}

// -----

// A branch has a frame where it is taken, with what is computed in it, and without dividing
// by 0 where it isn't. What it yields lives on. The buffers of a loop's body are needed for
// an iteration.

// CHECK-LABEL: func.func @branches(
// CHECK-SAME:    mla.workspace = "max(T*256 + 512, T*256 + ((T // n)*256 if n < T else 0))"
func.func @branches(%x: memref<?x64xf32> {mla.dims = ["T", ""], mla.name = "x"},
                    %n: index {mla.name = "n"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %t = memref.dim %x, %c0 : memref<?x64xf32>
  %is = arith.cmpi ult, %n, %t : index
  %z = scf.if %is -> memref<?x64xf32> {
    %d = arith.divui %t, %n : index
    %a = memref.alloc(%d) : memref<?x64xf32>
    %k = memref.alloc(%t) : memref<?x64xf32>
    linalg.copy ins(%x : memref<?x64xf32>) outs(%a : memref<?x64xf32>)
    linalg.copy ins(%a : memref<?x64xf32>) outs(%k : memref<?x64xf32>)
    scf.yield %k : memref<?x64xf32>
  } else {
    scf.yield %x : memref<?x64xf32>
  }
  scf.for %i = %c0 to %t step %c1 {
    %a = memref.alloc() : memref<64xf32>
    %b = memref.alloc() : memref<64xf32>
    %c = memref.alloc() : memref<64xf32>
    %row = memref.subview %z[%i, 0] [1, 64] [1, 1]
        : memref<?x64xf32> to memref<64xf32, strided<[1], offset: ?>>
    linalg.copy ins(%row : memref<64xf32, strided<[1], offset: ?>>) outs(%a : memref<64xf32>)
    linalg.copy ins(%a : memref<64xf32>) outs(%b : memref<64xf32>)
    linalg.copy ins(%b : memref<64xf32>) outs(%c : memref<64xf32>)
    linalg.copy ins(%c : memref<64xf32>) outs(%row : memref<64xf32, strided<[1], offset: ?>>)
  }
  return
}

// -----

// Sizes without a name, or with one that isn't an identifier, are an argument's.

// CHECK-LABEL: func.func @unnamed(
// CHECK-SAME:    mla.workspace = "((cu_q[0]*4 + 255) // 256)*256"
func.func @unnamed(%x: memref<?xi32> {mla.dims = ["B+1"], mla.name = "cu_q"}) {
  %c0 = arith.constant 0 : index
  %t = memref.dim %x, %c0 : memref<?xi32>
  %a = memref.alloc(%t) : memref<?xi32>
  linalg.copy ins(%x : memref<?xi32>) outs(%a : memref<?xi32>)
  linalg.copy ins(%a : memref<?xi32>) outs(%x : memref<?xi32>)
  return
}

// -----

// A size called "?" has no name: two of them needn't be equal.

// CHECK-LABEL: func.func @nameless(
// CHECK-SAME:    mla.workspace = "((x[0]*4 + 255) // 256)*256 + ((y[0]*4 + 255) // 256)*256"
func.func @nameless(%x: memref<?xi32> {mla.dims = ["?"], mla.name = "x"},
                    %y: memref<?xi32> {mla.dims = ["?"], mla.name = "y"}) {
  %c0 = arith.constant 0 : index
  %t = memref.dim %x, %c0 : memref<?xi32>
  %u = memref.dim %y, %c0 : memref<?xi32>
  %a = memref.alloc(%t) : memref<?xi32>
  %b = memref.alloc(%u) : memref<?xi32>
  linalg.copy ins(%x : memref<?xi32>) outs(%a : memref<?xi32>)
  linalg.copy ins(%y : memref<?xi32>) outs(%b : memref<?xi32>)
  linalg.copy ins(%a : memref<?xi32>) outs(%x : memref<?xi32>)
  linalg.copy ins(%b : memref<?xi32>) outs(%y : memref<?xi32>)
  return
}

// -----

// Another call than the ABI's doesn't check that dims of one name are equal. An entry that
// is called has a frame of its own each time: its caller has no bound.

// CHECK-LABEL: func.func @callee(
// CHECK-SAME:    mla.workspace = "T*256 + y[0]*256"
// CHECK-LABEL: func.func @caller(
// CHECK-NOT:     mla.workspace
// CHECK:         call @callee(%{{.+}}, %{{.+}}) :
func.func @callee(%x: memref<?x64xf32> {mla.dims = ["T", ""], mla.name = "x"},
                  %y: memref<?x64xf32> {mla.dims = ["", ""], mla.name = "y"}) {
  %c0 = arith.constant 0 : index
  %t = memref.dim %x, %c0 : memref<?x64xf32>
  %u = memref.dim %y, %c0 : memref<?x64xf32>
  %a = memref.alloc(%t) : memref<?x64xf32>
  %b = memref.alloc(%u) : memref<?x64xf32>
  linalg.copy ins(%x : memref<?x64xf32>) outs(%a : memref<?x64xf32>)
  linalg.copy ins(%y : memref<?x64xf32>) outs(%b : memref<?x64xf32>)
  linalg.copy ins(%a : memref<?x64xf32>) outs(%x : memref<?x64xf32>)
  linalg.copy ins(%b : memref<?x64xf32>) outs(%y : memref<?x64xf32>)
  return
}
func.func @caller(%x: memref<?x64xf32>) {
  call @callee(%x, %x) : (memref<?x64xf32>, memref<?x64xf32>) -> ()
  return
}
