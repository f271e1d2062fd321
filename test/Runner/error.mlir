// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// mlir-runner exits with 0 whatever happens, so the status is printed. Sizes that
// only the run knows are the runtime's to refuse.

// RUN: mla-opt %s --mla-to-llvm \
// RUN:   | %mlir_runner -e main --entry-point-result=void \
// RUN:     --shared-libs=%mla_runtime 2>&1 | FileCheck %s

// CHECK: mla: INVALID_ARGUMENT: mla_rope: y: expected shape [T, *, R] = [2, 4], got [3, 4]

func.func @main() attributes {mla.host} {
  %two = arith.constant 2 : index
  %three = arith.constant 3 : index
  call @rope(%two, %three) : (index, index) -> ()
  return
}

func.func private @rope(%rows: index, %other: index) {
  %x = memref.alloc(%rows) : memref<?x4xf32>
  %y = memref.alloc(%other) : memref<?x4xf32>
  mla.rope ins(x = %x : memref<?x4xf32>) outs(y = %y : memref<?x4xf32>)
  return
}
