// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-outline-layers=max-layers=2 | FileCheck %s

// Two layers are not more than two.
// RUN: mla-opt %s --mla-outline-layers | FileCheck %s --check-prefix=ALL-STAY
// ALL-STAY-NOT: layers

// In place, with and without.
// RUN: mla-opt %s --mla-outline-layers=max-layers=2 --mla-bufferize | FileCheck %s --check-prefix=BUFFERS --implicit-check-not=memref.copy
// BUFFERS-LABEL: func.func @threaded(
// BUFFERS-SAME:    %[[CACHE:[^: ]*]]: memref<{{[^>]*>}}> {mla.name = "arg2"
// BUFFERS-COUNT-2: call @threaded.layers({{.*}}%[[CACHE]]{{.*}}) :
// BUFFERS-NEXT:    mla.append {{.*}} outs(cache = %[[CACHE]] :

// Runs that are the same share a function; a run of one layer stays. The constant is
// cloned, what is used outside the run stays ahead of it.
// CHECK-LABEL: func.func @threaded(
// CHECK-SAME:    %[[X:[^:]*]]: tensor<4x8xbf16>, %[[S:[^:]*]]: tensor<?xi64>, %[[CACHE:[^:]*]]: tensor<?x16x8xbf16>
// CHECK:         %[[SLOTS:.*]] = tensor.extract_slice %[[S]][0] [4] [1]
// CHECK-NEXT:    %[[C1:.*]] = call @threaded.layers(%[[X]], %[[SLOTS]], %[[CACHE]])
// CHECK-NEXT:    %[[C2:.*]] = call @threaded.layers(%[[X]], %[[SLOTS]], %[[C1]])
// CHECK-NEXT:    %[[C3:.*]] = mla.append ins(c_kv = %[[X]] : tensor<4x8xbf16>, slots = %[[SLOTS]] : tensor<4xi64>) outs(cache = %[[C2]] :
// CHECK-NEXT:    return %[[C3]]
// CHECK:       func.func private @threaded.layers(
// CHECK-SAME:    %[[X:[^:]*]]: tensor<4x8xbf16>, %[[SLOTS:[^:]*]]: tensor<4xi64>, %[[CACHE:[^:]*]]: tensor<?x16x8xbf16>) -> tensor<?x16x8xbf16> {
// CHECK-NEXT:    %[[C1:.*]] = mla.append ins(c_kv = %[[X]] : tensor<4x8xbf16>, slots = %[[SLOTS]] : tensor<4xi64>) outs(cache = %[[CACHE]] :
// CHECK-NEXT:    %[[C2:.*]] = mla.append ins(c_kv = %[[X]] : tensor<4x8xbf16>, slots = %[[SLOTS]] : tensor<4xi64>) outs(cache = %[[C1]] :
// CHECK-NEXT:    return %[[C2]]
func.func @threaded(%x: tensor<4x8xbf16>, %s: tensor<?xi64>,
    %cache: tensor<?x16x8xbf16>) -> tensor<?x16x8xbf16> {
  %slots = tensor.extract_slice %s[0] [4] [1] : tensor<?xi64> to tensor<4xi64>
  %1 = mla.append
      ins(c_kv = %x : tensor<4x8xbf16>, slots = %slots : tensor<4xi64>)
      outs(cache = %cache : tensor<?x16x8xbf16>)
  %2 = mla.append
      ins(c_kv = %x : tensor<4x8xbf16>, slots = %slots : tensor<4xi64>)
      outs(cache = %1 : tensor<?x16x8xbf16>)
  %3 = mla.append
      ins(c_kv = %x : tensor<4x8xbf16>, slots = %slots : tensor<4xi64>)
      outs(cache = %2 : tensor<?x16x8xbf16>)
  %4 = mla.append
      ins(c_kv = %x : tensor<4x8xbf16>, slots = %slots : tensor<4xi64>)
      outs(cache = %3 : tensor<?x16x8xbf16>)
  %5 = mla.append
      ins(c_kv = %x : tensor<4x8xbf16>, slots = %slots : tensor<4xi64>)
      outs(cache = %4 : tensor<?x16x8xbf16>)
  return %5 : tensor<?x16x8xbf16>
}

// One buffer for all layers: a slice and its insertion stay in one run, and the
// layers' indices are passed. Calls of a layer count as layers.
// CHECK-LABEL: func.func @slices(
// CHECK-SAME:    %[[ALL:[^:]*]]: tensor<4x7x16x8xbf16>)
// CHECK-DAG:     %[[I0:.*]] = arith.constant 0
// CHECK-DAG:     %[[I1:.*]] = arith.constant 1
// CHECK:         %[[A1:.*]] = call @slices.layers(%[[ALL]], %[[I0]], {{.*}}, %[[I1]]) :
// CHECK-DAG:     %[[I2:.*]] = arith.constant 2
// CHECK-DAG:     %[[I3:.*]] = arith.constant 3
// CHECK:         %[[A2:.*]] = call @slices.layers(%[[A1]], %[[I2]], {{.*}}, %[[I3]]) :
// CHECK-NEXT:    return %[[A2]]
// CHECK:       func.func private @slices.layers(
// CHECK-SAME:    %[[ALL:[^:]*]]: tensor<4x7x16x8xbf16>, %[[I:[^:]*]]: index
// CHECK:         %[[C:.*]] = tensor.extract_slice %[[ALL]][%[[I]], 0, 0, 0] [1, 7, 16, 8] [1, 1, 1, 1]
// CHECK:         %[[R:.*]] = call @layer({{.*}}, %[[C]])
// CHECK:         tensor.insert_slice %[[R]] into %[[ALL]][%[[I]], 0, 0, 0] [1, 7, 16, 8] [1, 1, 1, 1]
// CHECK-NOT:   func.func private @slices
func.func @slices(%x: tensor<4x8xbf16>, %s: tensor<4xi64>,
    %all: tensor<4x7x16x8xbf16>) -> tensor<4x7x16x8xbf16> {
  %c0 = tensor.extract_slice %all[0, 0, 0, 0] [1, 7, 16, 8] [1, 1, 1, 1]
      : tensor<4x7x16x8xbf16> to tensor<7x16x8xbf16>
  %r0 = func.call @layer(%x, %s, %c0)
      : (tensor<4x8xbf16>, tensor<4xi64>, tensor<7x16x8xbf16>)
      -> tensor<7x16x8xbf16>
  %all0 = tensor.insert_slice %r0 into %all[0, 0, 0, 0] [1, 7, 16, 8]
      [1, 1, 1, 1] : tensor<7x16x8xbf16> into tensor<4x7x16x8xbf16>
  %c1 = tensor.extract_slice %all0[1, 0, 0, 0] [1, 7, 16, 8] [1, 1, 1, 1]
      : tensor<4x7x16x8xbf16> to tensor<7x16x8xbf16>
  %r1 = func.call @layer(%x, %s, %c1)
      : (tensor<4x8xbf16>, tensor<4xi64>, tensor<7x16x8xbf16>)
      -> tensor<7x16x8xbf16>
  %all1 = tensor.insert_slice %r1 into %all0[1, 0, 0, 0] [1, 7, 16, 8]
      [1, 1, 1, 1] : tensor<7x16x8xbf16> into tensor<4x7x16x8xbf16>
  %c2 = tensor.extract_slice %all1[2, 0, 0, 0] [1, 7, 16, 8] [1, 1, 1, 1]
      : tensor<4x7x16x8xbf16> to tensor<7x16x8xbf16>
  %r2 = func.call @layer(%x, %s, %c2)
      : (tensor<4x8xbf16>, tensor<4xi64>, tensor<7x16x8xbf16>)
      -> tensor<7x16x8xbf16>
  %all2 = tensor.insert_slice %r2 into %all1[2, 0, 0, 0] [1, 7, 16, 8]
      [1, 1, 1, 1] : tensor<7x16x8xbf16> into tensor<4x7x16x8xbf16>
  %c3 = tensor.extract_slice %all2[3, 0, 0, 0] [1, 7, 16, 8] [1, 1, 1, 1]
      : tensor<4x7x16x8xbf16> to tensor<7x16x8xbf16>
  %r3 = func.call @layer(%x, %s, %c3)
      : (tensor<4x8xbf16>, tensor<4xi64>, tensor<7x16x8xbf16>)
      -> tensor<7x16x8xbf16>
  %all3 = tensor.insert_slice %r3 into %all2[3, 0, 0, 0] [1, 7, 16, 8]
      [1, 1, 1, 1] : tensor<7x16x8xbf16> into tensor<4x7x16x8xbf16>
  return %all3 : tensor<4x7x16x8xbf16>
}
func.func private @layer(%x: tensor<4x8xbf16>, %s: tensor<4xi64>,
    %cache: tensor<7x16x8xbf16>) -> tensor<7x16x8xbf16> {
  %r = mla.append
      ins(c_kv = %x : tensor<4x8xbf16>, slots = %s : tensor<4xi64>)
      outs(cache = %cache : tensor<7x16x8xbf16>)
  return %r : tensor<7x16x8xbf16>
}

// What a run makes for others would have to be returned in a buffer of its own: the
// run stays. So does one with a side effect in it, and a host function.
// CHECK-LABEL: func.func @fresh(
// CHECK-NOT:     call
// CHECK-LABEL: func.func @effect(
// CHECK-NOT:     call @effect
// CHECK-LABEL: func.func @host(
// CHECK-NOT:     call
func.func @fresh(%x: tensor<4x8xbf16>, %s: tensor<4xi64>,
    %a: tensor<?x16x8xbf16>, %q: tensor<4x2x4xbf16>, %w: tensor<2x4x8xbf16>)
    -> (tensor<?x16x8xbf16>, tensor<4x2x8xbf16>) {
  %1 = mla.append ins(c_kv = %x : tensor<4x8xbf16>, slots = %s : tensor<4xi64>)
      outs(cache = %a : tensor<?x16x8xbf16>)
  %e = tensor.empty() : tensor<4x2x8xbf16>
  %r = mla.absorb_q
      ins(q_nope = %q : tensor<4x2x4xbf16>, w_uk = %w : tensor<2x4x8xbf16>)
      outs(query = %e : tensor<4x2x8xbf16>)
  %k:2 = mla.append
      ins(c_kv = %x : tensor<4x8xbf16>, slots = %s : tensor<4xi64>)
      outs(query = %r : tensor<4x2x8xbf16>, cache = %1 : tensor<?x16x8xbf16>)
  %3 = mla.append ins(c_kv = %x : tensor<4x8xbf16>, slots = %s : tensor<4xi64>)
      outs(cache = %k#1 : tensor<?x16x8xbf16>)
  return %3, %k#0 : tensor<?x16x8xbf16>, tensor<4x2x8xbf16>
}
func.func @effect(%x: tensor<4x8xbf16>, %s: tensor<4xi64>,
    %a: tensor<?x16x8xbf16>) -> tensor<?x16x8xbf16> {
  %1 = mla.append ins(c_kv = %x : tensor<4x8xbf16>, slots = %s : tensor<4xi64>)
      outs(cache = %a : tensor<?x16x8xbf16>)
  func.call @report() : () -> ()
  %2 = mla.append ins(c_kv = %x : tensor<4x8xbf16>, slots = %s : tensor<4xi64>)
      outs(cache = %1 : tensor<?x16x8xbf16>)
  %3 = mla.append ins(c_kv = %x : tensor<4x8xbf16>, slots = %s : tensor<4xi64>)
      outs(cache = %2 : tensor<?x16x8xbf16>)
  return %3 : tensor<?x16x8xbf16>
}
func.func private @report()
func.func @host(%x: tensor<4x8xbf16>, %s: tensor<4xi64>,
    %a: tensor<?x16x8xbf16>) -> tensor<?x16x8xbf16> attributes {mla.host} {
  %1 = mla.append ins(c_kv = %x : tensor<4x8xbf16>, slots = %s : tensor<4xi64>)
      outs(cache = %a : tensor<?x16x8xbf16>)
  %2 = mla.append ins(c_kv = %x : tensor<4x8xbf16>, slots = %s : tensor<4xi64>)
      outs(cache = %1 : tensor<?x16x8xbf16>)
  %3 = mla.append ins(c_kv = %x : tensor<4x8xbf16>, slots = %s : tensor<4xi64>)
      outs(cache = %2 : tensor<?x16x8xbf16>)
  return %3 : tensor<?x16x8xbf16>
}
