// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-hoist-metadata -split-input-file -verify-diagnostics \
// RUN:   --remark-format=emitRemark --remarks-filter=mla-hoist-metadata -o %t
// RUN: FileCheck %s < %t

// What a function keeps stays as it is, and a remark at the operation says why; of
// each function that loses any, one says how many stay.

// All that a step needs is one of each; the layers' own has gone to the step.
// CHECK-LABEL: func.func private @layer(
// CHECK-SAME:    %[[SLOTS:[^:]*]]: tensor<4xi64>, %[[PLAN:[^:]*]]: tensor<4100xi32>)
// CHECK-NEXT:    %[[SUM:.*]] = arith.addi %[[PLAN]], %[[PLAN]]
// CHECK-NEXT:    return %[[SLOTS]], %[[SUM]]
// expected-remark @+1 {{0 of 1 slot_mapping and 0 of 2 schedule stay}}
func.func private @layer(%pages: tensor<1x4xi32>, %lens: tensor<1xi32>, %cu: tensor<2xi32>)
    -> (tensor<4xi64>, tensor<4100xi32>) {
  %p = tensor.empty() : tensor<4xi64>
  %m:2 = mla.slot_mapping
      ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>,
          page_table = %pages : tensor<1x4xi32>)
      outs(positions = %p : tensor<4xi64>, slots = %p : tensor<4xi64>) {page_size = 16 : i64}
  %e = tensor.empty() : tensor<4100xi32>
  %0 = mla.schedule ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
      outs(schedule = %e : tensor<4100xi32>) {num_heads = 2 : i64, page_size = 16 : i64}
  %1 = mla.schedule ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
      outs(schedule = %e : tensor<4100xi32>) {num_heads = 2 : i64, page_size = 16 : i64}
  %2 = arith.addi %0, %1 : tensor<4100xi32>
  return %m#1, %2 : tensor<4xi64>, tensor<4100xi32>
}
// CHECK-LABEL: func.func @step(
// CHECK-COUNT-1: mla.slot_mapping
// CHECK-COUNT-1: mla.schedule
// CHECK-NOT:     mla.s
// expected-remark @+1 {{1 of 2 slot_mapping and 1 of 2 schedule stay}}
func.func @step(%pages: tensor<1x4xi32>, %lens: tensor<1xi32>, %cu: tensor<2xi32>)
    -> (tensor<4xi64>, tensor<4100xi32>, tensor<4xi64>, tensor<4100xi32>) {
  %0:2 = call @layer(%pages, %lens, %cu)
      : (tensor<1x4xi32>, tensor<1xi32>, tensor<2xi32>) -> (tensor<4xi64>, tensor<4100xi32>)
  %1:2 = call @layer(%pages, %lens, %cu)
      : (tensor<1x4xi32>, tensor<1xi32>, tensor<2xi32>) -> (tensor<4xi64>, tensor<4100xi32>)
  return %0#0, %0#1, %1#0, %1#1
      : tensor<4xi64>, tensor<4100xi32>, tensor<4xi64>, tensor<4100xi32>
}

// -----

// One of one in an entry: nothing to say.
// CHECK-LABEL: func.func @nothing(
func.func @nothing(%lens: tensor<1xi32>, %cu: tensor<2xi32>) -> tensor<4100xi32> {
  %e = tensor.empty() : tensor<4100xi32>
  %0 = mla.schedule ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
      outs(schedule = %e : tensor<4100xi32>) {num_heads = 2 : i64, page_size = 16 : i64}
  return %0 : tensor<4100xi32>
}

// -----

// (H1) Others may call it.
// CHECK-LABEL: func.func @public(
// CHECK:         mla.schedule
func.func @public(%lens: tensor<1xi32>, %cu: tensor<2xi32>) -> tensor<4100xi32> {
  %e = tensor.empty() : tensor<4100xi32>
  // expected-remark @+1 {{(H1) expected a private function, got the public @public}}
  %0 = mla.schedule ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
      outs(schedule = %e : tensor<4100xi32>) {num_heads = 2 : i64, page_size = 16 : i64}
  return %0 : tensor<4100xi32>
}
func.func @caller(%lens: tensor<1xi32>, %cu: tensor<2xi32>) -> tensor<4100xi32> {
  %0 = call @public(%lens, %cu) : (tensor<1xi32>, tensor<2xi32>) -> tensor<4100xi32>
  return %0 : tensor<4100xi32>
}

// -----

// (H1) Its context isn't that of a step.
// CHECK-LABEL: func.func private @host(
// CHECK:         mla.schedule
func.func private @host(%lens: tensor<1xi32>, %cu: tensor<2xi32>) -> tensor<4100xi32>
    attributes {mla.host} {
  %e = tensor.empty() : tensor<4100xi32>
  // expected-remark @+1 {{(H1) expected a function without mla.host, got @host}}
  %0 = mla.schedule ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
      outs(schedule = %e : tensor<4100xi32>) {num_heads = 2 : i64, page_size = 16 : i64}
  return %0 : tensor<4100xi32>
}
func.func @caller(%lens: tensor<1xi32>, %cu: tensor<2xi32>) -> tensor<4100xi32> {
  %0 = call @host(%lens, %cu) : (tensor<1xi32>, tensor<2xi32>) -> tensor<4100xi32>
  return %0 : tensor<4100xi32>
}

// -----

// (H1) Its type is known elsewhere: as a value, or by another operation.
// CHECK-LABEL: func.func private @value(
// CHECK:         mla.schedule
func.func private @value(%lens: tensor<1xi32>, %cu: tensor<2xi32>) -> tensor<4100xi32> {
  %e = tensor.empty() : tensor<4100xi32>
  // expected-remark @+1 {{(H1) expected calls alone to name @value, got another use}}
  %0 = mla.schedule ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
      outs(schedule = %e : tensor<4100xi32>) {num_heads = 2 : i64, page_size = 16 : i64}
  return %0 : tensor<4100xi32>
}
// CHECK-LABEL: func.func private @attribute(
// CHECK:         mla.schedule
func.func private @attribute(%lens: tensor<1xi32>, %cu: tensor<2xi32>) -> tensor<4100xi32> {
  %e = tensor.empty() : tensor<4100xi32>
  // expected-remark @+1 {{(H1) expected calls alone to name @attribute, got another use}}
  %0 = mla.schedule ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
      outs(schedule = %e : tensor<4100xi32>) {num_heads = 2 : i64, page_size = 16 : i64}
  return %0 : tensor<4100xi32>
}
func.func @caller(%lens: tensor<1xi32>, %cu: tensor<2xi32>)
    -> ((tensor<1xi32>, tensor<2xi32>) -> tensor<4100xi32>, tensor<4100xi32>, tensor<4100xi32>) {
  %f = constant @value : (tensor<1xi32>, tensor<2xi32>) -> tensor<4100xi32>
  %0 = call @value(%lens, %cu) : (tensor<1xi32>, tensor<2xi32>) -> tensor<4100xi32>
  %c0 = arith.constant {model.also = @attribute} 0 : index
  %1 = call @attribute(%lens, %cu) : (tensor<1xi32>, tensor<2xi32>) -> tensor<4100xi32>
  return %f, %0, %1
      : (tensor<1xi32>, tensor<2xi32>) -> tensor<4100xi32>, tensor<4100xi32>, tensor<4100xi32>
}

// -----

// (H2) Two that call each other.
// CHECK-LABEL: func.func private @even(
// CHECK:         mla.schedule
func.func private @even(%lens: tensor<1xi32>, %cu: tensor<2xi32>) -> tensor<4100xi32> {
  %e = tensor.empty() : tensor<4100xi32>
  // expected-remark @+1 {{(H2) expected a function that doesn't call itself, got @even, which may}}
  %0 = mla.schedule ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
      outs(schedule = %e : tensor<4100xi32>) {num_heads = 2 : i64, page_size = 16 : i64}
  %1 = call @odd(%lens, %cu) : (tensor<1xi32>, tensor<2xi32>) -> tensor<4100xi32>
  %2 = arith.addi %0, %1 : tensor<4100xi32>
  return %2 : tensor<4100xi32>
}
// CHECK-LABEL: func.func private @odd(
// CHECK-NOT:     mla.schedule
func.func private @odd(%lens: tensor<1xi32>, %cu: tensor<2xi32>) -> tensor<4100xi32> {
  %0 = call @even(%lens, %cu) : (tensor<1xi32>, tensor<2xi32>) -> tensor<4100xi32>
  return %0 : tensor<4100xi32>
}
// CHECK-LABEL: func.func @caller(
// CHECK-NOT:     mla.schedule
func.func @caller(%lens: tensor<1xi32>, %cu: tensor<2xi32>) -> tensor<4100xi32> {
  %0 = call @even(%lens, %cu) : (tensor<1xi32>, tensor<2xi32>) -> tensor<4100xi32>
  return %0 : tensor<4100xi32>
}

// -----

// (H3) Lengths that it computes, and a destination that it was given.
func.func private @advance(tensor<1xi32>) -> tensor<1xi32>

// CHECK-LABEL: func.func private @inside(
// CHECK:         mla.schedule
// CHECK:         mla.schedule
// CHECK-NOT:     mla.schedule
func.func private @inside(%lens: tensor<1xi32>, %cu: tensor<2xi32>, %there: tensor<4100xi32>)
    -> (tensor<4100xi32>, tensor<4100xi32>) {
  %e = tensor.empty() : tensor<4100xi32>
  %now = call @advance(%lens) : (tensor<1xi32>) -> tensor<1xi32>
  // expected-remark @+1 {{(H3) expected operands that follow from the function's arguments, got one from 'func.call'}}
  %0 = mla.schedule ins(kv_lens = %now : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
      outs(schedule = %e : tensor<4100xi32>) {num_heads = 2 : i64, page_size = 16 : i64}
  // expected-remark @+1 {{(H3) expected a tensor.empty as each destination, got another}}
  %1 = mla.schedule ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
      outs(schedule = %there : tensor<4100xi32>) {num_heads = 2 : i64, page_size = 16 : i64}
  return %0, %1 : tensor<4100xi32>, tensor<4100xi32>
}
func.func @caller(%lens: tensor<1xi32>, %cu: tensor<2xi32>, %there: tensor<4100xi32>)
    -> (tensor<4100xi32>, tensor<4100xi32>) {
  %0:2 = call @inside(%lens, %cu, %there)
      : (tensor<1xi32>, tensor<2xi32>, tensor<4100xi32>) -> (tensor<4100xi32>, tensor<4100xi32>)
  return %0#0, %0#1 : tensor<4100xi32>, tensor<4100xi32>
}

// -----

// A loop that changes the lengths needs a schedule each time.
// CHECK-LABEL: func.func @loop(
// CHECK:         scf.for
// CHECK:           mla.schedule
func.func @loop(%lens: tensor<1xi32>, %cu: tensor<2xi32>, %n: index) -> tensor<4100xi32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %e = tensor.empty() : tensor<4100xi32>
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%now = %lens, %sum = %e)
      -> (tensor<1xi32>, tensor<4100xi32>) {
    %f = tensor.empty() : tensor<4100xi32>
    // expected-remark @+1 {{expected operands from outside of the loop, got one from 'scf.for'}}
    %0 = mla.schedule ins(kv_lens = %now : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
        outs(schedule = %f : tensor<4100xi32>) {num_heads = 2 : i64, page_size = 16 : i64}
    %1 = arith.addi %0, %sum : tensor<4100xi32>
    %next = arith.addi %now, %now : tensor<1xi32>
    scf.yield %next, %1 : tensor<1xi32>, tensor<4100xi32>
  }
  return %r#1 : tensor<4100xi32>
}

// -----

// What precedes what is known in structured control flow only.
// CHECK-LABEL: func.func @blocks(
// CHECK-COUNT-2: mla.schedule
func.func @blocks(%lens: tensor<1xi32>, %cu: tensor<2xi32>, %cond: i1) -> tensor<4100xi32> {
  %e = tensor.empty() : tensor<4100xi32>
  cf.cond_br %cond, ^first, ^second
^first:
  // expected-remark @+1 {{expected regions of one block, got one of several}}
  %0 = mla.schedule ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
      outs(schedule = %e : tensor<4100xi32>) {num_heads = 2 : i64, page_size = 16 : i64}
  return %0 : tensor<4100xi32>
^second:
  // expected-remark @+1 {{expected regions of one block, got one of several}}
  %1 = mla.schedule ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
      outs(schedule = %e : tensor<4100xi32>) {num_heads = 2 : i64, page_size = 16 : i64}
  return %1 : tensor<4100xi32>
}
