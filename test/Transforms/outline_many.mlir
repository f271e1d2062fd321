// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-outline-layers=max-layers=2 | FileCheck %s
// RUN: mla-opt %s --mla-outline-layers=max-layers=4 | FileCheck %s --check-prefix=FOUR

// Nine layers are more than the square of two: three runs of three. Of at most four they
// make two runs, and one layer stays.
// CHECK-LABEL: func.func @nine(
// CHECK-COUNT-3: call @nine.layers(
// CHECK-NEXT:    return
// CHECK:       func.func private @nine.layers(
// CHECK-COUNT-3: mla.append
// CHECK-NEXT:    return
// FOUR-LABEL:  func.func @nine(
// FOUR-COUNT-2:  call @nine.layers(
// FOUR-NEXT:     mla.append
// FOUR-NEXT:     return
// FOUR:        func.func private @nine.layers(
// FOUR-COUNT-4:  mla.append
// FOUR-NEXT:     return
func.func @nine(%x: tensor<4x8xbf16>, %slots: tensor<4xi64>, %c0: tensor<?x16x8xbf16>)
    -> tensor<?x16x8xbf16> {
  %c1 = mla.append ins(c_kv = %x : tensor<4x8xbf16>, slots = %slots : tensor<4xi64>)
      outs(cache = %c0 : tensor<?x16x8xbf16>)
  %c2 = mla.append ins(c_kv = %x : tensor<4x8xbf16>, slots = %slots : tensor<4xi64>)
      outs(cache = %c1 : tensor<?x16x8xbf16>)
  %c3 = mla.append ins(c_kv = %x : tensor<4x8xbf16>, slots = %slots : tensor<4xi64>)
      outs(cache = %c2 : tensor<?x16x8xbf16>)
  %c4 = mla.append ins(c_kv = %x : tensor<4x8xbf16>, slots = %slots : tensor<4xi64>)
      outs(cache = %c3 : tensor<?x16x8xbf16>)
  %c5 = mla.append ins(c_kv = %x : tensor<4x8xbf16>, slots = %slots : tensor<4xi64>)
      outs(cache = %c4 : tensor<?x16x8xbf16>)
  %c6 = mla.append ins(c_kv = %x : tensor<4x8xbf16>, slots = %slots : tensor<4xi64>)
      outs(cache = %c5 : tensor<?x16x8xbf16>)
  %c7 = mla.append ins(c_kv = %x : tensor<4x8xbf16>, slots = %slots : tensor<4xi64>)
      outs(cache = %c6 : tensor<?x16x8xbf16>)
  %c8 = mla.append ins(c_kv = %x : tensor<4x8xbf16>, slots = %slots : tensor<4xi64>)
      outs(cache = %c7 : tensor<?x16x8xbf16>)
  %c9 = mla.append ins(c_kv = %x : tensor<4x8xbf16>, slots = %slots : tensor<4xi64>)
      outs(cache = %c8 : tensor<?x16x8xbf16>)
  return %c9 : tensor<?x16x8xbf16>
}
