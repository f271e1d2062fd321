// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: mla-opt %s --mla-prepare-entries --split-input-file | FileCheck %s

// Prepared once, nothing is left to do.
// RUN: mla-opt %s --mla-prepare-entries --split-input-file -o %t
// RUN: mla-opt %t --mla-prepare-entries --split-input-file | diff %t -

// Names and sizes come from the operands, roles from what is done to the argument.
// CHECK-LABEL: func.func @roles(
// CHECK-SAME:    {bufferization.writable = false, mla.dims = ["T", "", ""], mla.name = "q", mla.role = "input"}
// CHECK-SAME:    {bufferization.writable = false, mla.dims = ["T", ""], mla.name = "c_kv", mla.role = "input"}
// CHECK-SAME:    {bufferization.writable = false, mla.dims = ["", "", ""], mla.name = "w_kv_b", mla.role = "input"}
// CHECK-SAME:    {bufferization.writable = false, mla.dims = ["B", "K"], mla.name = "page_table", mla.role = "input"}
// CHECK-SAME:    {bufferization.writable = false, mla.dims = ["B"], mla.name = "kv_lens", mla.role = "input"}
// CHECK-SAME:    {bufferization.writable = false, mla.dims = ["B+1"], mla.name = "cu_q", mla.role = "input"}
// CHECK-SAME:    index {mla.name = "max_kv", mla.role = "scalar"}
// CHECK-SAME:    {bufferization.writable = true, mla.dims = ["T", "", ""], mla.name = "out", mla.role = "output"}
// CHECK-SAME:    {bufferization.writable = true, mla.dims = ["pages", "", ""], mla.name = "cache", mla.role = "inout"}
// CHECK-SAME:    {bufferization.writable = false, mla.name = "arg9", mla.role = "input"}
// CHECK-NOT:     materialize_in_destination
func.func @roles(%q: tensor<?x2x4xbf16>, %c_kv: tensor<?x8xbf16>,
    %w: tensor<2x8x8xbf16>, %pages: tensor<?x?xi32>, %lens: tensor<?xi32>,
    %cu: tensor<?xi32>, %max: index, %out: tensor<?x2x4xbf16>,
    %cache: tensor<?x16x8xbf16>, %unused: tensor<4xf32>)
    -> (tensor<?x2x4xbf16>, tensor<?x16x8xbf16>) {
  %r:2 = mla.attention
      ins(q = %q : tensor<?x2x4xbf16>, c_kv = %c_kv : tensor<?x8xbf16>,
          w_kv_b = %w : tensor<2x8x8xbf16>, page_table = %pages : tensor<?x?xi32>,
          kv_lens = %lens : tensor<?xi32>, cu_q = %cu : tensor<?xi32>,
          max_kv = %max : index)
      outs(out = %out : tensor<?x2x4xbf16>, cache = %cache : tensor<?x16x8xbf16>)
      {softmax_scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<?x2x4xbf16>, tensor<?x16x8xbf16>
}

// -----

// What is stated stays. Names are unique.
// CHECK-LABEL: func.func @stated(
// CHECK-SAME:    {bufferization.writable = false, mla.dims = ["T", "", ""], mla.name = "query", mla.role = "constant"}
// CHECK-SAME:    {bufferization.writable = false, mla.name = "w_uk", mla.role = "input"}
// CHECK-SAME:    {bufferization.writable = true, mla.name = "query_1", mla.role = "inout"}
// CHECK-SAME:    {bufferization.writable = false, mla.name = "w_uk_1", mla.role = "input"}
// CHECK-SAME:    {bufferization.writable = true, mla.name = "query_2", mla.role = "output"}
func.func @stated(
    %q: tensor<?x2x4xbf16> {mla.name = "query", mla.role = "constant",
                            mla.dims = ["T", "", ""]},
    %w: tensor<2x4x8xbf16>,
    %o: tensor<?x2x8xbf16> {mla.role = "inout"}, %w2: tensor<2x4x8xbf16>,
    %o2: tensor<?x2x8xbf16>)
    -> (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>) {
  %r = mla.absorb_q
      ins(q_nope = %q : tensor<?x2x4xbf16>, w_uk = %w : tensor<2x4x8xbf16>)
      outs(query = %o : tensor<?x2x8xbf16>)
  %r2 = mla.absorb_q
      ins(q_nope = %q : tensor<?x2x4xbf16>, w_uk = %w2 : tensor<2x4x8xbf16>)
      outs(query = %o2 : tensor<?x2x8xbf16>)
  return %r, %r2 : tensor<?x2x8xbf16>, tensor<?x2x8xbf16>
}

// -----

// A result without a destination gets one, behind the other arguments; so does one
// whose destination is only read by what the function states.
// CHECK-LABEL: func.func @destinations(
// CHECK-SAME:    %[[Q:[^:]*]]: tensor<4x2x4xbf16> {
// CHECK-SAME:    %[[W:[^:]*]]: tensor<2x4x8xbf16> {
// CHECK-SAME:    %[[I:[^:]*]]: tensor<4x2x8xbf16> {bufferization.writable = false, mla.name = "query", mla.role = "input"}
// CHECK-SAME:    %[[D0:[^:]*]]: tensor<4x2x8xbf16> {bufferization.writable = true, mla.name = "query_1", mla.role = "output"}
// CHECK-SAME:    %[[D1:[^:]*]]: tensor<4x2x8xbf16> {bufferization.writable = true, mla.name = "query_2", mla.role = "output"})
// CHECK:         %[[A:.*]] = mla.absorb_q
// CHECK:         %[[RA:.*]] = bufferization.materialize_in_destination %[[A]] in %[[D0]]
// CHECK:         %[[B:.*]] = mla.absorb_q {{.*}} outs(query = %[[I]]
// CHECK:         %[[RB:.*]] = bufferization.materialize_in_destination %[[B]] in %[[D1]]
// CHECK:         return %[[RA]], %[[RB]]
func.func @destinations(%q: tensor<4x2x4xbf16>, %w: tensor<2x4x8xbf16>,
    %i: tensor<4x2x8xbf16> {mla.role = "input"})
    -> (tensor<4x2x8xbf16>, tensor<4x2x8xbf16>) {
  %e = tensor.empty() : tensor<4x2x8xbf16>
  %a = mla.absorb_q
      ins(q_nope = %q : tensor<4x2x4xbf16>, w_uk = %w : tensor<2x4x8xbf16>)
      outs(query = %e : tensor<4x2x8xbf16>)
  %b = mla.absorb_q
      ins(q_nope = %q : tensor<4x2x4xbf16>, w_uk = %w : tensor<2x4x8xbf16>)
      outs(query = %i : tensor<4x2x8xbf16>)
  return %a, %b : tensor<4x2x8xbf16>, tensor<4x2x8xbf16>
}

// -----

// The only operation's sizes are those of the destination that its result gets, too.
// CHECK-LABEL: func.func @new_destination(
// CHECK-SAME:    mla.dims = ["T", "", ""], mla.name = "q_nope"
// CHECK-SAME:    mla.name = "w_uk"
// CHECK-SAME:    mla.dims = ["T", "", ""], mla.name = "query", mla.role = "output"}
func.func @new_destination(%q: tensor<?x2x4xbf16>, %w: tensor<2x4x8xbf16>)
    -> tensor<?x2x8xbf16> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %q, %c0 : tensor<?x2x4xbf16>
  %e = tensor.empty(%t) : tensor<?x2x8xbf16>
  %r = mla.absorb_q
      ins(q_nope = %q : tensor<?x2x4xbf16>, w_uk = %w : tensor<2x4x8xbf16>)
      outs(query = %e : tensor<?x2x8xbf16>)
  return %r : tensor<?x2x8xbf16>
}

// -----

// Destinations are followed through loops, branches, casts, slices and calls.
// CHECK-LABEL: func.func @followed(
// CHECK-SAME:    %{{[^:]*}}: tensor<?x2x8xbf16> {bufferization.writable = true, mla.name = "arg0", mla.role = "inout"}
// CHECK-SAME:    %{{[^:]*}}: tensor<4x2x8xbf16> {bufferization.writable = true, mla.name = "arg1", mla.role = "inout"}
// CHECK-SAME:    %{{[^:]*}}: tensor<4x2x8xbf16> {bufferization.writable = true, mla.name = "arg2", mla.role = "output"}
// CHECK-SAME:    i1 {mla.name = "arg5", mla.role = "scalar"})
// CHECK-NOT:     materialize_in_destination
// CHECK:         return
func.func @followed(%a: tensor<?x2x8xbf16>, %b: tensor<4x2x8xbf16>,
    %c: tensor<4x2x8xbf16>, %q: tensor<4x2x4xbf16>, %w: tensor<2x4x8xbf16>,
    %cond: i1)
    -> (tensor<?x2x8xbf16>, tensor<4x2x8xbf16>, tensor<4x2x8xbf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %a4 = tensor.cast %a : tensor<?x2x8xbf16> to tensor<4x2x8xbf16>
  %x = scf.for %i = %c0 to %c4 step %c1 iter_args(%it = %a4)
      -> tensor<4x2x8xbf16> {
    %r = func.call @callee(%q, %w, %it)
        : (tensor<4x2x4xbf16>, tensor<2x4x8xbf16>, tensor<4x2x8xbf16>)
        -> tensor<4x2x8xbf16>
    scf.yield %r : tensor<4x2x8xbf16>
  }
  %xa = tensor.cast %x : tensor<4x2x8xbf16> to tensor<?x2x8xbf16>
  %y = scf.if %cond -> tensor<4x2x8xbf16> {
    %q1 = tensor.extract_slice %q[0, 0, 0] [1, 2, 4] [1, 1, 1]
        : tensor<4x2x4xbf16> to tensor<1x2x4xbf16>
    %b1 = tensor.extract_slice %b[0, 0, 0] [1, 2, 8] [1, 1, 1]
        : tensor<4x2x8xbf16> to tensor<1x2x8xbf16>
    %r = mla.absorb_q
        ins(q_nope = %q1 : tensor<1x2x4xbf16>, w_uk = %w : tensor<2x4x8xbf16>)
        outs(query = %b1 : tensor<1x2x8xbf16>)
    %s = tensor.insert_slice %r into %b[0, 0, 0] [1, 2, 8] [1, 1, 1]
        : tensor<1x2x8xbf16> into tensor<4x2x8xbf16>
    scf.yield %s : tensor<4x2x8xbf16>
  } else {
    scf.yield %b : tensor<4x2x8xbf16>
  }
  %z = func.call @callee(%q, %w, %c)
      : (tensor<4x2x4xbf16>, tensor<2x4x8xbf16>, tensor<4x2x8xbf16>)
      -> tensor<4x2x8xbf16>
  return %xa, %y, %z
      : tensor<?x2x8xbf16>, tensor<4x2x8xbf16>, tensor<4x2x8xbf16>
}
// A private function is no entry.
// CHECK-LABEL: func.func private @callee(
// CHECK-NOT:     mla.name
// CHECK:         return
func.func private @callee(%q: tensor<4x2x4xbf16>, %w: tensor<2x4x8xbf16>,
    %o: tensor<4x2x8xbf16>) -> tensor<4x2x8xbf16> {
  %r = mla.absorb_q
      ins(q_nope = %q : tensor<4x2x4xbf16>, w_uk = %w : tensor<2x4x8xbf16>)
      outs(query = %o : tensor<4x2x8xbf16>)
  return %r : tensor<4x2x8xbf16>
}

// -----

// Branches that take different buffers flow from neither.
// CHECK-LABEL: func.func @either(
// CHECK-SAME:    %[[D:[^:]*]]: tensor<4xf32> {bufferization.writable = true, mla.name = "result", mla.role = "output"})
// CHECK:         %[[R:.*]] = bufferization.materialize_in_destination %{{.*}} in %[[D]]
// CHECK:         return %[[R]]
func.func @either(%cond: i1, %a: tensor<4xf32>, %b: tensor<4xf32>)
    -> tensor<4xf32> {
  %r = scf.if %cond -> tensor<4xf32> {
    scf.yield %a : tensor<4xf32>
  } else {
    scf.yield %b : tensor<4xf32>
  }
  return %r : tensor<4xf32>
}

// -----

// What is no entry stays as it is.
// CHECK-LABEL: func.func @host() -> tensor<4xf32> attributes {mla.host} {
// CHECK-NEXT:    tensor.empty
// CHECK-NEXT:    return
func.func @host() -> tensor<4xf32> attributes {mla.host} {
  %e = tensor.empty() : tensor<4xf32>
  return %e : tensor<4xf32>
}
// CHECK-LABEL: func.func @scalars(%{{.*}}: index) -> index {
func.func @scalars(%a: index) -> index {
  return %a : index
}
// CHECK-LABEL: func.func private @declared(tensor<4xf32>) -> tensor<4xf32>
func.func private @declared(tensor<4xf32>) -> tensor<4xf32>

// -----

// Functions that call each other in a circle: what one of them writes is written, and
// nothing says that all of it is.
// CHECK-LABEL: func.func @circle(
// CHECK-SAME:    {bufferization.writable = false, mla.name = "arg1", mla.role = "input"}
// CHECK-SAME:    {bufferization.writable = true, mla.name = "arg2", mla.role = "inout"}
func.func @circle(%n: index, %x: tensor<4x8xf32>, %y: tensor<4x8xf32>) {
  call @even(%n, %x, %y) : (index, tensor<4x8xf32>, tensor<4x8xf32>) -> ()
  return
}
func.func private @even(%n: index, %x: tensor<4x8xf32>, %y: tensor<4x8xf32>) {
  %c0 = arith.constant 0 : index
  %last = arith.cmpi eq, %n, %c0 : index
  scf.if %last {
    %r = mla.rope ins(x = %x : tensor<4x8xf32>) outs(y = %y : tensor<4x8xf32>)
  } else {
    func.call @odd(%n, %x, %y) : (index, tensor<4x8xf32>, tensor<4x8xf32>) -> ()
  }
  return
}
func.func private @odd(%n: index, %x: tensor<4x8xf32>, %y: tensor<4x8xf32>) {
  %c1 = arith.constant 1 : index
  %m = arith.subi %n, %c1 : index
  call @even(%m, %x, %y) : (index, tensor<4x8xf32>, tensor<4x8xf32>) -> ()
  return
}

// -----

// Rows of a rope are of any rank: here [T,R].
// CHECK-LABEL: func.func @rows(
// CHECK-SAME:    {bufferization.writable = false, mla.dims = ["T", ""], mla.name = "x", mla.role = "input"}
// CHECK-SAME:    {bufferization.writable = true, mla.dims = ["T", ""], mla.name = "y", mla.role = "output"}
func.func @rows(%x: tensor<?x8xf32>, %y: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %r = mla.rope ins(x = %x : tensor<?x8xf32>) outs(y = %y : tensor<?x8xf32>)
  return %r : tensor<?x8xf32>
}
