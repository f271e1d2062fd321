// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-thread-context --convert-mla-to-runtime --canonicalize --cse \
// RUN:   --split-input-file | FileCheck %s
// RUN: mla-opt %s --mla-thread-context --convert-mla-to-runtime --expand-strided-metadata \
// RUN:   --lower-affine --convert-scf-to-cf --convert-to-llvm --reconcile-unrealized-casts \
// RUN:   --split-input-file | FileCheck %s --check-prefix=LLVM --implicit-check-not=unrealized

// LLVM: llvm.call @mla_copy

// A copy that converts is one of the runtime, which converts.

// CHECK-LABEL: func.func private @convert(
// CHECK-SAME:    %[[CTX:[^:]+]]: !llvm.ptr {{.*}}, %[[SRC:[^:]+]]: memref<?x4xf32>, %[[DST:[^:]+]]: memref<?x4xbf16>)
// CHECK-DAG:     %[[F32:.+]] = llvm.mlir.constant(1 : i32) : i32
// CHECK-DAG:     %[[BF16:.+]] = llvm.mlir.constant(3 : i32) : i32
// CHECK:         llvm.call @mla.tensor.2(%[[SRC_SLOT:[^,]+]], %{{[^,]+}}, %[[F32]],
// CHECK:         llvm.call @mla.tensor.2(%[[DST_SLOT:[^,]+]], %{{[^,]+}}, %[[BF16]],
// CHECK:         llvm.call @mla_copy(%[[CTX]],
// CHECK-NOT:     linalg
// CHECK:         return
func.func private @convert(%src: memref<?x4xf32>, %dst: memref<?x4xbf16>) {
  linalg.copy ins(%src : memref<?x4xf32>) outs(%dst : memref<?x4xbf16>)
  return
}

// -----

// A broadcast is a copy of a view with stride 0 where the source has no dimension.

// CHECK-LABEL: func.func private @broadcast(
// CHECK-SAME:    %[[SINKS:[^:]+]]: memref<3xf32, strided<[?], offset: ?>>, %[[LSE:[^:]+]]: memref<?x3xf32>)
// CHECK-DAG:     %[[ZERO:.+]] = llvm.mlir.constant(0 : i64) : i64
// CHECK-DAG:     %[[THREE:.+]] = llvm.mlir.constant(3 : i64) : i64
// CHECK-DAG:     %[[TOKENS:.+]] = memref.dim %[[LSE]], %{{.+}}
// CHECK-DAG:     %{{.+}}, %{{.+}}, %{{.+}}, %[[STRIDE:.+]] = memref.extract_strided_metadata %[[SINKS]]
// CHECK:         memref.reinterpret_cast %{{.+}} to offset: [%{{.+}}], sizes: [%[[TOKENS]], 3], strides: [0, %[[STRIDE]]]
// CHECK:         llvm.call @mla.tensor.2(%{{[^,]+}}, %{{[^,]+}}, %{{[^,]+}}, %{{[^,]+}}, %{{[^,]+}}, %[[THREE]], %[[ZERO]], %{{[^,]+}})
// CHECK:         llvm.call @mla_copy
// CHECK-NOT:     linalg
// CHECK:         return
func.func private @broadcast(%sinks: memref<3xf32, strided<[?], offset: ?>>,
                             %lse: memref<?x3xf32>) {
  linalg.broadcast ins(%sinks : memref<3xf32, strided<[?], offset: ?>>)
      outs(%lse : memref<?x3xf32>) dimensions = [0]
  return
}

// -----

// A function that only copies needs the context, too; so do loops' bodies.

// CHECK-LABEL: func.func private @in_loop(
// CHECK-SAME:    !llvm.ptr
// CHECK:         scf.for
// CHECK:           llvm.call @mla_copy
func.func private @in_loop(%n: index, %src: memref<4xf32>, %dst: memref<4xf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    linalg.copy ins(%src : memref<4xf32>) outs(%dst : memref<4xf16>)
  }
  return
}
