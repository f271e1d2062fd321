// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: rm -rf %t && mkdir %t
// RUN: mla-opt %s --mla-hoist-metadata --split-input-file -o %t/once.mlir
// RUN: FileCheck %s < %t/once.mlir
// RUN: mla-opt %s --mla-hoist-metadata=schedule=false --split-input-file \
// RUN:   | FileCheck %s --check-prefix=UNPLANNED

// Twice is as good as once.
// RUN: mla-opt %t/once.mlir --mla-hoist-metadata --split-input-file -o %t/twice.mlir
// RUN: cmp %t/once.mlir %t/twice.mlir

// Layers of one function, and their sizes through a projection: one of each, before
// the first use. The attentions have no schedule and get one.
// UNPLANNED-LABEL: func.func @layers(
// UNPLANNED-COUNT-1: mla.slot_mapping
// UNPLANNED-NOT: {{mla.slot_mapping|schedule}}
// UNPLANNED:     return
// CHECK-LABEL: func.func @layers(
// CHECK-SAME:    %[[X:[^:]*]]: tensor<?x8xbf16>,
// CHECK-DAG:     %[[T:.*]] = tensor.dim %[[X]], %c0
// CHECK:         %[[P:.*]], %[[SLOTS:.*]] = mla.slot_mapping
// CHECK:         mla.append {{.*}}slots = %[[SLOTS]] :
// CHECK-DAG:     %[[B:.*]] = tensor.dim %{{.*}}, %c0{{.*}} : tensor<?xi32>
// CHECK-DAG:     %[[TWICE:.*]] = arith.muli %[[B]], %c2
// CHECK-DAG:     %[[SIZE:.*]] = arith.addi %[[TWICE]], %c4098
// CHECK:         %[[EMPTY:.*]] = tensor.empty(%[[SIZE]]) : tensor<?xi32>
// CHECK:         %[[PLAN:.*]] = mla.schedule
// CHECK-SAME:      outs(schedule = %[[EMPTY]] : tensor<?xi32>) {num_heads = 2 : i64, page_size = 16 : i64}
// CHECK:         mla.absorbed_attention {{.*}}schedule = %[[PLAN]] :
// CHECK-NOT:     mla.slot_mapping
// CHECK-NOT:     mla.schedule
// CHECK:         mla.append {{.*}}slots = %[[SLOTS]] :
// CHECK-NOT:     mla.slot_mapping
// CHECK-NOT:     mla.schedule
// CHECK:         mla.absorbed_attention {{.*}}schedule = %[[PLAN]] :
// CHECK:         return
func.func @layers(%x: tensor<?x8xbf16>, %w: tensor<8x8xbf16>, %query: tensor<?x2x8xbf16>,
    %pages: tensor<?x?xi32>, %lens: tensor<?xi32>, %cu: tensor<?xi32>,
    %a: tensor<?x16x8xbf16>, %b: tensor<?x16x8xbf16>, %o: tensor<?x2x8xbf16>)
    -> (tensor<?x16x8xbf16>, tensor<?x16x8xbf16>, tensor<?x2x8xbf16>, tensor<?x2x8xbf16>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8xbf16>
  %p0 = tensor.empty(%t) : tensor<?xi64>
  %s0 = tensor.empty(%t) : tensor<?xi64>
  %m0:2 = mla.slot_mapping
      ins(kv_lens = %lens : tensor<?xi32>, cu_q = %cu : tensor<?xi32>,
          page_table = %pages : tensor<?x?xi32>)
      outs(positions = %p0 : tensor<?xi64>, slots = %s0 : tensor<?xi64>) {page_size = 16 : i64}
  %a1 = mla.append ins(c_kv = %x : tensor<?x8xbf16>, slots = %m0#1 : tensor<?xi64>)
      outs(cache = %a : tensor<?x16x8xbf16>)
  %o1 = mla.absorbed_attention
      ins(query = %query : tensor<?x2x8xbf16>, cache = %a1 : tensor<?x16x8xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>)
      outs(o = %o : tensor<?x2x8xbf16>) {softmax_scale = 0.1 : f64}

  // The next layer's rows are as many as these.
  %init = tensor.empty(%t) : tensor<?x8xbf16>
  %y = linalg.matmul ins(%x, %w : tensor<?x8xbf16>, tensor<8x8xbf16>)
      outs(%init : tensor<?x8xbf16>) -> tensor<?x8xbf16>
  %also_t = tensor.dim %y, %c0 : tensor<?x8xbf16>
  %p1 = tensor.empty(%also_t) : tensor<?xi64>
  %s1 = tensor.empty(%also_t) : tensor<?xi64>
  %m1:2 = mla.slot_mapping
      ins(kv_lens = %lens : tensor<?xi32>, cu_q = %cu : tensor<?xi32>,
          page_table = %pages : tensor<?x?xi32>)
      outs(positions = %p1 : tensor<?xi64>, slots = %s1 : tensor<?xi64>) {page_size = 16 : i64}
  %b1 = mla.append ins(c_kv = %y : tensor<?x8xbf16>, slots = %m1#1 : tensor<?xi64>)
      outs(cache = %b : tensor<?x16x8xbf16>)
  %o2 = mla.absorbed_attention
      ins(query = %o1 : tensor<?x2x8xbf16>, cache = %b1 : tensor<?x16x8xbf16>,
          page_table = %pages : tensor<?x?xi32>, kv_lens = %lens : tensor<?xi32>,
          cu_q = %cu : tensor<?xi32>)
      outs(o = %o : tensor<?x2x8xbf16>) {softmax_scale = 0.1 : f64}
  return %a1, %b1, %o1, %o2
      : tensor<?x16x8xbf16>, tensor<?x16x8xbf16>, tensor<?x2x8xbf16>, tensor<?x2x8xbf16>
}

// -----

// Lengths, page size, number of heads, attributes or sizes that may differ are others.
// CHECK-LABEL: func.func @differ(
// CHECK-COUNT-5: mla.slot_mapping
// CHECK-NOT:     mla.slot_mapping
// CHECK-COUNT-3: mla.schedule
// CHECK-NOT:     mla.schedule
// CHECK:         return
func.func @differ(%pages: tensor<1x4xi32>, %lens: tensor<1xi32>, %longer: tensor<1xi32>,
    %cu: tensor<2xi32>, %t: index, %u: index)
    -> (tensor<?xi64>, tensor<?xi64>, tensor<?xi64>, tensor<?xi64>, tensor<?xi64>,
        tensor<4100xi32>, tensor<4100xi32>, tensor<4100xi32>) {
  %e = tensor.empty(%t) : tensor<?xi64>
  %other = tensor.empty(%u) : tensor<?xi64>
  %0:2 = mla.slot_mapping
      ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>,
          page_table = %pages : tensor<1x4xi32>)
      outs(positions = %e : tensor<?xi64>, slots = %e : tensor<?xi64>) {page_size = 16 : i64}
  %1:2 = mla.slot_mapping
      ins(kv_lens = %longer : tensor<1xi32>, cu_q = %cu : tensor<2xi32>,
          page_table = %pages : tensor<1x4xi32>)
      outs(positions = %e : tensor<?xi64>, slots = %e : tensor<?xi64>) {page_size = 16 : i64}
  %2:2 = mla.slot_mapping
      ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>,
          page_table = %pages : tensor<1x4xi32>)
      outs(positions = %e : tensor<?xi64>, slots = %e : tensor<?xi64>) {page_size = 64 : i64}
  %3:2 = mla.slot_mapping
      ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>,
          page_table = %pages : tensor<1x4xi32>)
      outs(positions = %e : tensor<?xi64>, slots = %e : tensor<?xi64>)
      {model.group = 1 : i64, page_size = 16 : i64}
  %4:2 = mla.slot_mapping
      ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>,
          page_table = %pages : tensor<1x4xi32>)
      outs(positions = %other : tensor<?xi64>, slots = %other : tensor<?xi64>)
      {page_size = 16 : i64}
  %s = tensor.empty() : tensor<4100xi32>
  %5 = mla.schedule ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
      outs(schedule = %s : tensor<4100xi32>) {num_heads = 2 : i64, page_size = 16 : i64}
  %6 = mla.schedule ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
      outs(schedule = %s : tensor<4100xi32>) {num_heads = 4 : i64, page_size = 16 : i64}
  %7 = mla.schedule ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
      outs(schedule = %s : tensor<4100xi32>) {num_heads = 2 : i64, page_size = 64 : i64}
  return %0#1, %1#1, %2#1, %3#1, %4#1, %5, %6, %7
      : tensor<?xi64>, tensor<?xi64>, tensor<?xi64>, tensor<?xi64>, tensor<?xi64>,
        tensor<4100xi32>, tensor<4100xi32>, tensor<4100xi32>
}

// -----

// The same slices of the same lengths are equal, others aren't.
// CHECK-LABEL: func.func @slices(
// CHECK:         %[[FIRST:.*]] = mla.schedule
// CHECK:         %[[LAST:.*]] = mla.schedule
// CHECK-NOT:     mla.schedule
// CHECK:         return %[[FIRST]], %[[FIRST]], %[[LAST]]
func.func @slices(%lens: tensor<4xi32>, %cu: tensor<5xi32>)
    -> (tensor<4102xi32>, tensor<4102xi32>, tensor<4102xi32>) {
  %lens0 = tensor.extract_slice %lens[0] [2] [1] : tensor<4xi32> to tensor<2xi32>
  %cu0 = tensor.extract_slice %cu[0] [3] [1] : tensor<5xi32> to tensor<3xi32>
  %e0 = tensor.empty() : tensor<4102xi32>
  %0 = mla.schedule ins(kv_lens = %lens0 : tensor<2xi32>, cu_q = %cu0 : tensor<3xi32>)
      outs(schedule = %e0 : tensor<4102xi32>) {num_heads = 2 : i64, page_size = 16 : i64}
  %lens1 = tensor.extract_slice %lens[0] [2] [1] : tensor<4xi32> to tensor<2xi32>
  %cu1 = tensor.extract_slice %cu[0] [3] [1] : tensor<5xi32> to tensor<3xi32>
  %e1 = tensor.empty() : tensor<4102xi32>
  %1 = mla.schedule ins(kv_lens = %lens1 : tensor<2xi32>, cu_q = %cu1 : tensor<3xi32>)
      outs(schedule = %e1 : tensor<4102xi32>) {num_heads = 2 : i64, page_size = 16 : i64}
  %lens2 = tensor.extract_slice %lens[2] [2] [1] : tensor<4xi32> to tensor<2xi32>
  %cu2 = tensor.extract_slice %cu[2] [3] [1] : tensor<5xi32> to tensor<3xi32>
  %2 = mla.schedule ins(kv_lens = %lens2 : tensor<2xi32>, cu_q = %cu2 : tensor<3xi32>)
      outs(schedule = %e1 : tensor<4102xi32>) {num_heads = 2 : i64, page_size = 16 : i64}
  return %0, %1, %2 : tensor<4102xi32>, tensor<4102xi32>, tensor<4102xi32>
}

// -----

// Sizes of one name are equal where a call checks them: in an entry.
// CHECK-LABEL: func.func @named(
// CHECK-COUNT-1: mla.slot_mapping
// CHECK-NOT:     mla.slot_mapping
// CHECK-LABEL: func.func private @unchecked(
// CHECK-COUNT-2: mla.slot_mapping
func.func @named(
    %a: tensor<?x8xbf16> {mla.dims = ["T", ""]}, %b: tensor<?x8xbf16> {mla.dims = ["T", ""]},
    %pages: tensor<1x4xi32>, %lens: tensor<1xi32>, %cu: tensor<2xi32>)
    -> (tensor<?xi64>, tensor<?xi64>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %a, %c0 : tensor<?x8xbf16>
  %u = tensor.dim %b, %c0 : tensor<?x8xbf16>
  %e = tensor.empty(%t) : tensor<?xi64>
  %f = tensor.empty(%u) : tensor<?xi64>
  %0:2 = mla.slot_mapping
      ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>,
          page_table = %pages : tensor<1x4xi32>)
      outs(positions = %e : tensor<?xi64>, slots = %e : tensor<?xi64>) {page_size = 16 : i64}
  %1:2 = mla.slot_mapping
      ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>,
          page_table = %pages : tensor<1x4xi32>)
      outs(positions = %f : tensor<?xi64>, slots = %f : tensor<?xi64>) {page_size = 16 : i64}
  return %0#1, %1#1 : tensor<?xi64>, tensor<?xi64>
}

func.func private @unchecked(
    %a: tensor<?x8xbf16> {mla.dims = ["T", ""]}, %b: tensor<?x8xbf16> {mla.dims = ["T", ""]},
    %pages: tensor<1x4xi32>, %lens: tensor<1xi32>, %cu: tensor<2xi32>)
    -> (tensor<?xi64>, tensor<?xi64>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %a, %c0 : tensor<?x8xbf16>
  %u = tensor.dim %b, %c0 : tensor<?x8xbf16>
  %e = tensor.empty(%t) : tensor<?xi64>
  %f = tensor.empty(%u) : tensor<?xi64>
  %0:2 = mla.slot_mapping
      ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>,
          page_table = %pages : tensor<1x4xi32>)
      outs(positions = %e : tensor<?xi64>, slots = %e : tensor<?xi64>) {page_size = 16 : i64}
  %1:2 = mla.slot_mapping
      ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>,
          page_table = %pages : tensor<1x4xi32>)
      outs(positions = %f : tensor<?xi64>, slots = %f : tensor<?xi64>) {page_size = 16 : i64}
  return %0#1, %1#1 : tensor<?xi64>, tensor<?xi64>
}

// -----

// A size called "?" is one of its own.
// CHECK-LABEL: func.func @nameless(
// CHECK-COUNT-2: mla.slot_mapping
func.func @nameless(
    %a: tensor<?xi64> {mla.dims = ["?"]}, %b: tensor<?xi64> {mla.dims = ["?"]},
    %pages: tensor<1x4xi32>, %lens: tensor<1xi32>, %cu: tensor<2xi32>)
    -> (tensor<?xi64>, tensor<?xi64>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %a, %c0 : tensor<?xi64>
  %u = tensor.dim %b, %c0 : tensor<?xi64>
  %e = tensor.empty(%t) : tensor<?xi64>
  %f = tensor.empty(%u) : tensor<?xi64>
  %0:2 = mla.slot_mapping
      ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>,
          page_table = %pages : tensor<1x4xi32>)
      outs(positions = %e : tensor<?xi64>, slots = %e : tensor<?xi64>) {page_size = 16 : i64}
  %1:2 = mla.slot_mapping
      ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>,
          page_table = %pages : tensor<1x4xi32>)
      outs(positions = %f : tensor<?xi64>, slots = %f : tensor<?xi64>) {page_size = 16 : i64}
  return %0#1, %1#1 : tensor<?xi64>, tensor<?xi64>
}

// -----

// Out of a loop over layers, and out of a branch in it, goes what the loop doesn't
// change; lengths that the loop changes stay.
// CHECK-LABEL: func.func @loop(
// CHECK:         %[[PLAN:.*]] = mla.schedule ins(kv_lens = %[[LENS:[^ ]*]]
// CHECK:         scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}, %[[NOW:.*]] = %[[LENS]])
// CHECK:           scf.if
// CHECK-NEXT:        mla.absorbed_attention {{.*}}kv_lens = %[[LENS]] {{.*}}schedule = %[[PLAN]] :
// CHECK:           mla.schedule ins(kv_lens = %[[NOW]] :
// CHECK-NEXT:      mla.absorbed_attention
func.func @loop(%query: tensor<?x2x8xbf16>, %cache: tensor<?x16x8xbf16>,
    %pages: tensor<1x4xi32>, %lens: tensor<1xi32>, %cu: tensor<2xi32>,
    %o: tensor<?x2x8xbf16>, %n: index, %cond: i1) -> (tensor<?x2x8xbf16>, tensor<1xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %o, %now = %lens)
      -> (tensor<?x2x8xbf16>, tensor<1xi32>) {
    %0 = scf.if %cond -> (tensor<?x2x8xbf16>) {
      %1 = mla.absorbed_attention
          ins(query = %query : tensor<?x2x8xbf16>, cache = %cache : tensor<?x16x8xbf16>,
              page_table = %pages : tensor<1x4xi32>, kv_lens = %lens : tensor<1xi32>,
              cu_q = %cu : tensor<2xi32>)
          outs(o = %acc : tensor<?x2x8xbf16>) {softmax_scale = 0.1 : f64}
      scf.yield %1 : tensor<?x2x8xbf16>
    } else {
      scf.yield %acc : tensor<?x2x8xbf16>
    }
    %2 = mla.absorbed_attention
        ins(query = %query : tensor<?x2x8xbf16>, cache = %cache : tensor<?x16x8xbf16>,
            page_table = %pages : tensor<1x4xi32>, kv_lens = %now : tensor<1xi32>,
            cu_q = %cu : tensor<2xi32>)
        outs(o = %0 : tensor<?x2x8xbf16>) {softmax_scale = 0.1 : f64}
    %next = arith.addi %now, %now : tensor<1xi32>
    scf.yield %2, %next : tensor<?x2x8xbf16>, tensor<1xi32>
  }
  return %r#0, %r#1 : tensor<?x2x8xbf16>, tensor<1xi32>
}

// -----

// A branch keeps what it alone needs; what two need is before both, and what is
// there already isn't done again.
// CHECK-LABEL: func.func @branches(
// CHECK:         %[[BOTH:.*]] = mla.schedule {{.*}}num_heads = 2
// CHECK-NEXT:    scf.if
// CHECK-NEXT:      scf.yield %[[BOTH]]
// CHECK:         } else {
// CHECK-NEXT:      scf.yield %[[BOTH]]
// CHECK:         %[[BEFORE:.*]] = mla.schedule {{.*}}num_heads = 3
// CHECK-NEXT:    scf.if
// CHECK-NEXT:      scf.yield %[[BEFORE]]
// CHECK:         } else {
// CHECK:           %[[ONE:.*]] = mla.schedule {{.*}}num_heads = 4
// CHECK-NEXT:      scf.yield %[[ONE]]
// CHECK-NOT:     mla.schedule
// CHECK:         return
func.func @branches(%lens: tensor<1xi32>, %cu: tensor<2xi32>, %cond: i1)
    -> (tensor<4100xi32>, tensor<4100xi32>, tensor<4100xi32>) {
  %e = tensor.empty() : tensor<4100xi32>
  %0 = scf.if %cond -> (tensor<4100xi32>) {
    %f = tensor.empty() : tensor<4100xi32>
    %1 = mla.schedule ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
        outs(schedule = %f : tensor<4100xi32>) {num_heads = 2 : i64, page_size = 16 : i64}
    scf.yield %1 : tensor<4100xi32>
  } else {
    %1 = mla.schedule ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
        outs(schedule = %e : tensor<4100xi32>) {num_heads = 2 : i64, page_size = 16 : i64}
    scf.yield %1 : tensor<4100xi32>
  }
  %2 = mla.schedule ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
      outs(schedule = %e : tensor<4100xi32>) {num_heads = 3 : i64, page_size = 16 : i64}
  %3 = scf.if %cond -> (tensor<4100xi32>) {
    %4 = mla.schedule ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
        outs(schedule = %e : tensor<4100xi32>) {num_heads = 3 : i64, page_size = 16 : i64}
    scf.yield %4 : tensor<4100xi32>
  } else {
    %4 = mla.schedule ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
        outs(schedule = %e : tensor<4100xi32>) {num_heads = 4 : i64, page_size = 16 : i64}
    scf.yield %4 : tensor<4100xi32>
  }
  return %0, %2, %3 : tensor<4100xi32>, tensor<4100xi32>, tensor<4100xi32>
}

// -----

// A chain of functions: one a step, in each entry, however many calls there are. What
// stays in the layers are the arguments; attributes of a call's arguments too.
// CHECK-LABEL: func.func private @layer(
// CHECK-SAME:    %[[O:[^:]*]]: tensor<4x2x8xbf16>, %[[SLOTS:[^:]*]]: tensor<?xi64>, %[[PLAN:[^:]*]]: tensor<4100xi32>)
// CHECK-NEXT:    mla.append {{.*}}slots = %[[SLOTS]] :
// CHECK-NEXT:    mla.absorbed_attention {{.*}}schedule = %[[PLAN]] :
// CHECK-NEXT:    return
// CHECK-LABEL: func.func private @two(
// CHECK-SAME:    %[[SLOTS:[^:]*]]: tensor<?xi64>, %[[PLAN:[^:]*]]: tensor<4100xi32>)
// CHECK-NEXT:    call @layer({{.*}}, %[[SLOTS]], %[[PLAN]])
// CHECK-NEXT:    call @layer({{.*}}, %[[SLOTS]], %[[PLAN]])
// CHECK-NEXT:    return
// CHECK-LABEL: func.func @step(
// CHECK:         %{{.*}}, %[[SLOTS:.*]] = mla.slot_mapping
// CHECK:         %[[PLAN:.*]] = mla.schedule
// CHECK-NEXT:    call @two({{.*}}, %[[SLOTS]], %[[PLAN]])
// CHECK-NOT:     mla.s
// CHECK:         call @two({{.*}}, %[[SLOTS]], %[[PLAN]])
// CHECK-NOT:     mla.s
// CHECK:         call @layer({{.*}}, %[[SLOTS]], %[[PLAN]]) {arg_attrs = [{}, {model.x}, {}, {}, {}, {}, {}, {}, {}]}
// CHECK-NOT:     mla.s
// CHECK:         return
// CHECK-LABEL: func.func @other_step(
// CHECK-COUNT-1: mla.slot_mapping
// CHECK-COUNT-1: mla.schedule
// CHECK-NOT:     mla.s
// CHECK:         call @two(
func.func private @layer(%x: tensor<?x8xbf16>, %q: tensor<4x2x8xbf16>, %pages: tensor<1x4xi32>,
    %lens: tensor<1xi32>, %cu: tensor<2xi32>, %cache: tensor<?x16x8xbf16>,
    %o: tensor<4x2x8xbf16>) -> (tensor<4x2x8xbf16>, tensor<?x16x8xbf16>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8xbf16>
  %p = tensor.empty(%t) : tensor<?xi64>
  %s = tensor.empty(%t) : tensor<?xi64>
  %m:2 = mla.slot_mapping
      ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>,
          page_table = %pages : tensor<1x4xi32>)
      outs(positions = %p : tensor<?xi64>, slots = %s : tensor<?xi64>) {page_size = 16 : i64}
  %new = mla.append ins(c_kv = %x : tensor<?x8xbf16>, slots = %m#1 : tensor<?xi64>)
      outs(cache = %cache : tensor<?x16x8xbf16>)
  %r = mla.absorbed_attention
      ins(query = %q : tensor<4x2x8xbf16>, cache = %new : tensor<?x16x8xbf16>,
          page_table = %pages : tensor<1x4xi32>, kv_lens = %lens : tensor<1xi32>,
          cu_q = %cu : tensor<2xi32>)
      outs(o = %o : tensor<4x2x8xbf16>) {softmax_scale = 0.1 : f64}
  return %r, %new : tensor<4x2x8xbf16>, tensor<?x16x8xbf16>
}

func.func private @two(%x: tensor<?x8xbf16>, %q: tensor<4x2x8xbf16>, %pages: tensor<1x4xi32>,
    %lens: tensor<1xi32>, %cu: tensor<2xi32>, %cache: tensor<?x16x8xbf16>,
    %o: tensor<4x2x8xbf16>) -> (tensor<4x2x8xbf16>, tensor<?x16x8xbf16>) {
  %0:2 = call @layer(%x, %q, %pages, %lens, %cu, %cache, %o)
      : (tensor<?x8xbf16>, tensor<4x2x8xbf16>, tensor<1x4xi32>, tensor<1xi32>, tensor<2xi32>,
         tensor<?x16x8xbf16>, tensor<4x2x8xbf16>) -> (tensor<4x2x8xbf16>, tensor<?x16x8xbf16>)
  %1:2 = call @layer(%x, %0#0, %pages, %lens, %cu, %0#1, %o)
      : (tensor<?x8xbf16>, tensor<4x2x8xbf16>, tensor<1x4xi32>, tensor<1xi32>, tensor<2xi32>,
         tensor<?x16x8xbf16>, tensor<4x2x8xbf16>) -> (tensor<4x2x8xbf16>, tensor<?x16x8xbf16>)
  return %1#0, %1#1 : tensor<4x2x8xbf16>, tensor<?x16x8xbf16>
}

func.func @step(%x: tensor<?x8xbf16>, %q: tensor<4x2x8xbf16>, %pages: tensor<1x4xi32>,
    %lens: tensor<1xi32>, %cu: tensor<2xi32>, %cache: tensor<?x16x8xbf16>,
    %o: tensor<4x2x8xbf16>) -> (tensor<4x2x8xbf16>, tensor<?x16x8xbf16>) {
  %0:2 = call @two(%x, %q, %pages, %lens, %cu, %cache, %o)
      : (tensor<?x8xbf16>, tensor<4x2x8xbf16>, tensor<1x4xi32>, tensor<1xi32>, tensor<2xi32>,
         tensor<?x16x8xbf16>, tensor<4x2x8xbf16>) -> (tensor<4x2x8xbf16>, tensor<?x16x8xbf16>)
  %1:2 = call @two(%x, %0#0, %pages, %lens, %cu, %0#1, %o)
      : (tensor<?x8xbf16>, tensor<4x2x8xbf16>, tensor<1x4xi32>, tensor<1xi32>, tensor<2xi32>,
         tensor<?x16x8xbf16>, tensor<4x2x8xbf16>) -> (tensor<4x2x8xbf16>, tensor<?x16x8xbf16>)
  %2:2 = func.call @layer(%x, %1#0, %pages, %lens, %cu, %1#1, %o)
      {arg_attrs = [{}, {model.x}, {}, {}, {}, {}, {}]}
      : (tensor<?x8xbf16>, tensor<4x2x8xbf16>, tensor<1x4xi32>, tensor<1xi32>, tensor<2xi32>,
         tensor<?x16x8xbf16>, tensor<4x2x8xbf16>) -> (tensor<4x2x8xbf16>, tensor<?x16x8xbf16>)
  return %2#0, %2#1 : tensor<4x2x8xbf16>, tensor<?x16x8xbf16>
}

func.func @other_step(%x: tensor<?x8xbf16>, %q: tensor<4x2x8xbf16>, %pages: tensor<1x4xi32>,
    %lens: tensor<1xi32>, %cu: tensor<2xi32>, %cache: tensor<?x16x8xbf16>,
    %o: tensor<4x2x8xbf16>) -> (tensor<4x2x8xbf16>, tensor<?x16x8xbf16>) {
  %0:2 = call @two(%x, %q, %pages, %lens, %cu, %cache, %o)
      : (tensor<?x8xbf16>, tensor<4x2x8xbf16>, tensor<1x4xi32>, tensor<1xi32>, tensor<2xi32>,
         tensor<?x16x8xbf16>, tensor<4x2x8xbf16>) -> (tensor<4x2x8xbf16>, tensor<?x16x8xbf16>)
  return %0#0, %0#1 : tensor<4x2x8xbf16>, tensor<?x16x8xbf16>
}

// -----

// Of functions that call it, each passes its own lengths.
// CHECK-LABEL: func.func @two_batches(
// CHECK:         %[[FIRST:.*]] = mla.schedule ins(kv_lens = %[[A:.*]] : tensor<1xi32>,
// CHECK-NEXT:    call @plan(%[[A]], %{{.*}}, %[[FIRST]])
// CHECK:         %[[SECOND:.*]] = mla.schedule ins(kv_lens = %[[B:.*]] : tensor<1xi32>,
// CHECK-NEXT:    call @plan(%[[B]], %{{.*}}, %[[SECOND]])
// CHECK-NOT:     mla.schedule
func.func private @plan(%lens: tensor<1xi32>, %cu: tensor<2xi32>) -> tensor<4100xi32> {
  %e = tensor.empty() : tensor<4100xi32>
  %0 = mla.schedule ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
      outs(schedule = %e : tensor<4100xi32>) {num_heads = 2 : i64, page_size = 16 : i64}
  return %0 : tensor<4100xi32>
}
func.func @two_batches(%a: tensor<1xi32>, %b: tensor<1xi32>, %cu: tensor<2xi32>)
    -> (tensor<4100xi32>, tensor<4100xi32>) {
  %0 = call @plan(%a, %cu) : (tensor<1xi32>, tensor<2xi32>) -> tensor<4100xi32>
  %1 = call @plan(%b, %cu) : (tensor<1xi32>, tensor<2xi32>) -> tensor<4100xi32>
  return %0, %1 : tensor<4100xi32>, tensor<4100xi32>
}

// -----

// Attention that runs alone makes its own schedule, in one of two branches too; and
// there is none for indices.
// CHECK-LABEL: func.func @alone(
// CHECK-NOT:     mla.schedule
// CHECK-LABEL: func.func @sparse(
// CHECK-NOT:     mla.schedule
// CHECK:         return
func.func @alone(%q: tensor<4x2x8xbf16>, %pages: tensor<1x4xi32>, %lens: tensor<1xi32>,
    %cu: tensor<2xi32>, %cache: tensor<?x16x8xbf16>, %o: tensor<4x2x8xbf16>, %cond: i1)
    -> tensor<4x2x8xbf16> {
  %r = scf.if %cond -> (tensor<4x2x8xbf16>) {
    %0 = mla.absorbed_attention
        ins(query = %q : tensor<4x2x8xbf16>, cache = %cache : tensor<?x16x8xbf16>,
            page_table = %pages : tensor<1x4xi32>, kv_lens = %lens : tensor<1xi32>,
            cu_q = %cu : tensor<2xi32>)
        outs(o = %o : tensor<4x2x8xbf16>) {softmax_scale = 0.1 : f64}
    scf.yield %0 : tensor<4x2x8xbf16>
  } else {
    %0 = mla.absorbed_attention
        ins(query = %q : tensor<4x2x8xbf16>, cache = %cache : tensor<?x16x8xbf16>,
            page_table = %pages : tensor<1x4xi32>, kv_lens = %lens : tensor<1xi32>,
            cu_q = %cu : tensor<2xi32>)
        outs(o = %o : tensor<4x2x8xbf16>) {softmax_scale = 0.2 : f64}
    scf.yield %0 : tensor<4x2x8xbf16>
  }
  return %r : tensor<4x2x8xbf16>
}

func.func @sparse(%q: tensor<4x2x8xbf16>, %pages: tensor<1x4xi32>, %lens: tensor<1xi32>,
    %cu: tensor<2xi32>, %indices: tensor<4x3xi32>, %cache: tensor<?x16x8xbf16>,
    %o: tensor<4x2x8xbf16>) -> (tensor<4x2x8xbf16>, tensor<4x2x8xbf16>) {
  %0 = mla.absorbed_attention
      ins(query = %q : tensor<4x2x8xbf16>, cache = %cache : tensor<?x16x8xbf16>,
          page_table = %pages : tensor<1x4xi32>, kv_lens = %lens : tensor<1xi32>,
          cu_q = %cu : tensor<2xi32>, indices = %indices : tensor<4x3xi32>)
      outs(o = %o : tensor<4x2x8xbf16>) {softmax_scale = 0.1 : f64}
  %1 = mla.absorbed_attention
      ins(query = %0 : tensor<4x2x8xbf16>, cache = %cache : tensor<?x16x8xbf16>,
          page_table = %pages : tensor<1x4xi32>, kv_lens = %lens : tensor<1xi32>,
          cu_q = %cu : tensor<2xi32>, indices = %indices : tensor<4x3xi32>)
      outs(o = %o : tensor<4x2x8xbf16>) {softmax_scale = 0.1 : f64}
  return %0, %1 : tensor<4x2x8xbf16>, tensor<4x2x8xbf16>
}

// -----

// What a branch of a function of one call does may not be needed; of several calls
// it is done once for all.
// CHECK-LABEL: func.func private @once(
// CHECK:         scf.if
// CHECK-NEXT:      mla.schedule
// CHECK-LABEL: func.func private @often(
// CHECK-NOT:     mla.schedule
// CHECK-LABEL: func.func @branches_of_functions(
// CHECK:         call @once(
// CHECK:         mla.schedule
// CHECK-NEXT:    call @often(
// CHECK-NEXT:    call @often(
func.func private @once(%lens: tensor<1xi32>, %cu: tensor<2xi32>, %e: tensor<4100xi32>,
    %cond: i1) -> tensor<4100xi32> {
  %r = scf.if %cond -> (tensor<4100xi32>) {
    %0 = mla.schedule ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
        outs(schedule = %e : tensor<4100xi32>) {num_heads = 2 : i64, page_size = 16 : i64}
    scf.yield %0 : tensor<4100xi32>
  } else {
    scf.yield %e : tensor<4100xi32>
  }
  return %r : tensor<4100xi32>
}
func.func private @often(%lens: tensor<1xi32>, %cu: tensor<2xi32>, %d: tensor<4100xi32>,
    %cond: i1) -> tensor<4100xi32> {
  %r = scf.if %cond -> (tensor<4100xi32>) {
    %e = tensor.empty() : tensor<4100xi32>
    %0 = mla.schedule ins(kv_lens = %lens : tensor<1xi32>, cu_q = %cu : tensor<2xi32>)
        outs(schedule = %e : tensor<4100xi32>) {num_heads = 2 : i64, page_size = 16 : i64}
    scf.yield %0 : tensor<4100xi32>
  } else {
    scf.yield %d : tensor<4100xi32>
  }
  return %r : tensor<4100xi32>
}
func.func @branches_of_functions(%lens: tensor<1xi32>, %cu: tensor<2xi32>,
    %e: tensor<4100xi32>, %cond: i1)
    -> (tensor<4100xi32>, tensor<4100xi32>, tensor<4100xi32>) {
  %0 = call @once(%lens, %cu, %e, %cond)
      : (tensor<1xi32>, tensor<2xi32>, tensor<4100xi32>, i1) -> tensor<4100xi32>
  %1 = call @often(%lens, %cu, %e, %cond)
      : (tensor<1xi32>, tensor<2xi32>, tensor<4100xi32>, i1) -> tensor<4100xi32>
  %2 = call @often(%lens, %cu, %0, %cond)
      : (tensor<1xi32>, tensor<2xi32>, tensor<4100xi32>, i1) -> tensor<4100xi32>
  return %0, %1, %2 : tensor<4100xi32>, tensor<4100xi32>, tensor<4100xi32>
}
